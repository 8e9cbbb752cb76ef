using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Api;
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
        store.Start(new NodeAddress("127.0.0.1", 7400), new FakeNode());
        store.Store.ShouldBeOfType<TieredStore>();
        store.Backlog.ShouldBe(0);
        Directory.Exists(Path.Combine(_folder["data"], "sync")).ShouldBeTrue();
    }

    [Fact]
    public async Task Store_Copies_WaitsForAnotherNodeAndSaysThatNoneIsThere()
    {
        List<TierNotice> notices = [];
        NodeAddress self = new("127.0.0.1", 7400);
        await using NodeStore store = new(
            new NodeModel
            {
                DataDir = _folder["data"],
                Checkpoints = new CheckpointStoreModel
                {
                    Path = _folder["store"],
                    Copies = 2,
                    Durability = CheckpointDurability.Copies,
                },
            },
            TimeProvider.System,
            notice =>
            {
                lock (notices)
                {
                    notices.Add(notice);
                }
            }
        );
        FakeNode node = new()
        {
            View = new ClusterView(
                1,
                1,
                [new ClusterMember(1, self, "one", [], 1, MemberStatus.Up, false, 1, "0.1.0") { State = MemberState.Up }]
            ),
        };
        store.Start(self, node);
        store.Backlog.ShouldBe(0);
        DiskFolder.Write(_folder["source"], new Dictionary<string, byte[]> { ["a"] = [1, 2, 3] });
        StagedState state = new("s1", 1, 1, "request", new Dictionary<string, double>());
        SaveRequest request = new(TaskId.Parse("alone-x1"), 1, "c-1-1-aaaabbbb", state, StateSource.OfFolder(_folder["source"]), []);

        CheckpointRef saved = await store.Store.SaveAsync(request, CancellationToken.None);

        store.Backlog.ShouldBe(1);
        store.Waiting.ShouldBe([(request.Task, saved.Name)]);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!Said("kept by 1 of 2 nodes") || !Said("There is no other node"))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }

        bool Said(string text)
        {
            lock (notices)
            {
                return notices.Exists(notice => notice.IsProblem && notice.Text.Contains(text, StringComparison.Ordinal));
            }
        }
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
