using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Node;

public sealed class NodeStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public NodeStoreTests() => File.WriteAllText(_folder["keys"], "[default]\naws_access_key_id = id\naws_secret_access_key = secret\n");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Store_Folder_IsTheFolderAndHasNoBacklog()
    {
        await using NodeStore store = Open(new CheckpointStoreModel());
        store.Store.ShouldBeSameAs(store.Folder);
        store.Backlog.ShouldBeNull();
        await store.CheckAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Store_S3_IsTheBucketAndTheFolderStaysForTheRest()
    {
        await using NodeStore store = Open(new CheckpointStoreModel { Store = CheckpointStoreKind.S3 });
        store.Store.ShouldBeOfType<S3Store>().Place.ShouldBe("s3://trainings/a");
        store.Folder.ShouldNotBeNull();
        store.Backlog.ShouldBeNull();
        await Should.ThrowAsync<CheckpointStoreException>(() => store.CheckAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData(CheckpointStoreKind.S3)]
    [InlineData(CheckpointStoreKind.Folder)]
    public async Task Store_Tiered_KeepsItsBacklogInTheDataFolder(CheckpointStoreKind remote)
    {
        await using NodeStore store = Open(
            new CheckpointStoreModel
            {
                Store = CheckpointStoreKind.Tiered,
                Tiered = new TieredStoreModel { Remote = remote, RemotePath = _folder["remote"] },
            }
        );
        Directory.Exists(_folder["data"]).ShouldBeFalse();
        store.Start();
        store.Store.ShouldBeOfType<TieredStore>();
        store.Backlog.ShouldBe(0);
        Directory.Exists(Path.Combine(_folder["data"], "sync")).ShouldBeTrue();
    }

    [Fact]
    public void Store_CredentialsFileIsMissing_SaysWhich() =>
        Should
            .Throw<CheckpointStoreException>(() =>
                new NodeStore(
                    new NodeModel
                    {
                        Checkpoints = new CheckpointStoreModel
                        {
                            Store = CheckpointStoreKind.S3,
                            S3 = new S3StoreModel { Bucket = "trainings", CredentialsFile = _folder["none"] },
                            Path = _folder["store"],
                        },
                    },
                    TimeProvider.System,
                    _ => { }
                )
            )
            .Message.ShouldContain(_folder["none"]);

    private NodeStore Open(CheckpointStoreModel model) =>
        new(
            new NodeModel
            {
                DataDir = _folder["data"],
                Checkpoints = model with
                {
                    Path = _folder["store"],
                    S3 = new S3StoreModel
                    {
                        Bucket = "trainings",
                        Prefix = "a",
                        Endpoint = new Uri("http://127.0.0.1:1"),
                        PathStyle = true,
                        CredentialsFile = _folder["keys"],
                        RetryFor = TimeSpan.Zero,
                    },
                },
            },
            TimeProvider.System,
            _ => { }
        );
}
