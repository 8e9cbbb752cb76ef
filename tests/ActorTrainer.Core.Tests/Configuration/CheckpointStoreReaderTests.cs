using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class CheckpointStoreReaderTests
{
    [Fact]
    public void Read_Nothing_IsAFolder()
    {
        CheckpointStoreModel model = Read("");
        model.Store.ShouldBe(CheckpointStoreKind.Folder);
        model.S3.ShouldBe(new S3StoreModel());
        model.Tiered.ShouldBe(new TieredStoreModel());
    }

    [Fact]
    public void Read_EveryKeyOfABucket_ReachesTheModel() =>
        Read(
            """
            store = s3
            s3 {
              bucket = my-bucket, prefix = "/team/x_1/", endpoint = "https://minio.example:9000", region = eu-central-1, path-style = off
              credentials-file = c/keys, profile = p, part-size = 16 MiB, request-timeout = 5 s, retry-for = 2 m
            }
            """
        )
            .S3.ShouldBe(
                new S3StoreModel
                {
                    Bucket = "my-bucket",
                    Prefix = "team/x_1",
                    Endpoint = new Uri("https://minio.example:9000"),
                    Region = "eu-central-1",
                    PathStyle = false,
                    CredentialsFile = "/work/c/keys",
                    Profile = "p",
                    PartSizeBytes = 16 << 20,
                    RequestTimeout = TimeSpan.FromSeconds(5),
                    RetryFor = TimeSpan.FromMinutes(2),
                }
            );

    [Fact]
    public void Read_EndpointAlone_HasTheBucketInThePath()
    {
        Read("store = s3, s3 { bucket = abc, endpoint = \"http://127.0.0.1:9000\" }").S3.PathStyle.ShouldBeTrue();
        Read("store = s3, s3 { bucket = abc }").S3.PathStyle.ShouldBeFalse();
    }

    [Fact]
    public void Read_Tiered_SaysWhatStandsBehindTheFolderAndWhen()
    {
        CheckpointStoreModel model = Read("store = tiered, tiered { remote = folder, remote-path = r, sync-interval = 5 m }");
        model.Store.ShouldBe(CheckpointStoreKind.Tiered);
        model.Tiered.ShouldBe(
            new TieredStoreModel
            {
                Remote = CheckpointStoreKind.Folder,
                RemotePath = "/work/r",
                SyncInterval = TimeSpan.FromMinutes(5),
            }
        );
        Read("tiered.sync-interval = on_commit").Tiered.SyncInterval.ShouldBeNull();
    }

    [Fact]
    public void Read_Copies_AreWhatCommittedMeansUnlessItSaysOtherwise()
    {
        CheckpointStoreModel none = Read("");
        (none.Copies, none.Durability, none.CopiesWait).ShouldBe((1, CheckpointDurability.Local, TimeSpan.FromMinutes(2)));
        CheckpointStoreModel two = Read("copies = 2, copies-wait = 5 s");
        (two.Copies, two.Durability, two.CopiesWait).ShouldBe((2, CheckpointDurability.Copies, TimeSpan.FromSeconds(5)));
        Read("copies = 3, durability = local").Durability.ShouldBe(CheckpointDurability.Local);
        Read("store = s3, s3.bucket = abc, durability = store").Durability.ShouldBe(CheckpointDurability.Store);
    }

    [Theory]
    [InlineData("copies = 0", "actortrainer.checkpoints.copies is '0': it must be from 1 to 16.")]
    [InlineData(
        "store = s3, s3.bucket = abc, copies = 2",
        "checkpoints.copies is for checkpoints.store = folder: "
            + "with s3 and tiered the bucket, or what stands behind the folder, has the second copy."
    )]
    [InlineData("durability = copies", "checkpoints.durability = copies needs copies: set actortrainer.checkpoints.copies to 2 or more.")]
    [InlineData(
        "durability = store",
        "checkpoints.durability = store needs a store beside the folder: set actortrainer.checkpoints.store to tiered or s3."
    )]
    [InlineData(
        "store = tiered, durability = store, tiered { remote = folder, remote-path = r, sync-interval = 5 m }",
        "checkpoints.durability = store copies every checkpoint at once: set actortrainer.checkpoints.tiered.sync-interval to on-commit."
    )]
    [InlineData("store = tape", "actortrainer.checkpoints.store is 'tape': use one of folder, s3, tiered.")]
    [InlineData("store = s3", "checkpoints.store = s3 needs a bucket: set actortrainer.checkpoints.s3.bucket.")]
    [InlineData("store = tiered", "checkpoints.store = tiered needs a bucket: set actortrainer.checkpoints.s3.bucket.")]
    [InlineData(
        "store = tiered, tiered.remote = folder",
        "checkpoints.tiered.remote = folder needs the folder: set actortrainer.checkpoints.tiered.remote-path."
    )]
    [InlineData(
        "store = tiered, path = x, tiered { remote = folder, remote-path = x }",
        "checkpoints.tiered.remote-path is the same folder as checkpoints.path: name another one, on another disk."
    )]
    [InlineData(
        "store = tiered, path = x, tiered { remote = folder, remote-path = x/y }",
        "one of checkpoints.tiered.remote-path and checkpoints.path stands inside the other: name another one, on another disk."
    )]
    [InlineData(
        "store = tiered, path = x/y, tiered { remote = folder, remote-path = x }",
        "one of checkpoints.tiered.remote-path and checkpoints.path stands inside the other: name another one, on another disk."
    )]
    [InlineData(
        "s3.bucket = My_Bucket",
        "actortrainer.checkpoints.s3.bucket is 'My_Bucket': a bucket has 3 to 63 lower-case letters, digits, dots and dashes."
    )]
    [InlineData(
        "s3.prefix = \"a/../b\"",
        "actortrainer.checkpoints.s3.prefix is 'a/../b': use letters, digits and -_.!/ without an empty part."
    )]
    [InlineData(
        "s3.endpoint = \"ftp://x\"",
        "actortrainer.checkpoints.s3.endpoint is 'ftp://x': write a URL such as https://minio.example:9000, or null for AWS."
    )]
    [InlineData("s3.region = \"a b\"", "actortrainer.checkpoints.s3.region is 'a b': a region is for example eu-central-1.")]
    [InlineData("s3.part-size = 1 MiB", "actortrainer.checkpoints.s3.part-size is '1 MiB': it must be from 5 MiB to 1 GiB.")]
    [InlineData("tiered.remote = tiered", "actortrainer.checkpoints.tiered.remote is 'tiered': use one of s3, folder.")]
    [InlineData("tiered.sync-interval = 1 ms", "actortrainer.checkpoints.tiered.sync-interval is '1 ms': it must be from 1 s to 1 d.")]
    public void Read_Mistake_SaysWhatAndWhatToDo(string text, string message) =>
        Should.Throw<ConfigException>(() => Read(text)).Message.ShouldEndWith(message);

    /// <summary>An endpoint with a name and a password in it would be printed with the configuration.</summary>
    [Fact]
    public void Read_EndpointWithASecret_IsRefused() =>
        Should.Throw<ConfigException>(() => Read("s3.endpoint = \"https://key:secret@host\""));

    private static CheckpointStoreModel Read(string text) =>
        NodeModelReader
            .Read(
                HoconReader.ReadText($"actortrainer.checkpoints {{\n{text}\n}}", "n.conf"),
                new NodeSurroundings(ConfigPaths.Resolver("/work"), 4)
            )
            .Checkpoints;
}
