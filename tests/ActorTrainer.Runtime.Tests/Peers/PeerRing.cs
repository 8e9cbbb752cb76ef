using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Client;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Peers;

/// <summary>Nodes with a folder each behind real servers on loopback, and the store of a further node that copies to them.</summary>
internal sealed class PeerRing : IAsyncDisposable
{
    public const int ChunkSize = 4096;
    public const string Token = "secret";

    private readonly TemporaryFolder _folder;
    private readonly List<ApiServer?> _servers = [];
    private readonly HttpClient _http;
    private readonly DeterministicRandom _random = new(5);

    /// <param name="folder">Where their folders are.</param>
    /// <param name="nodes">How many.</param>
    /// <param name="copies">How many of them keep a copy.</param>
    /// <param name="token">The token that the further node sends.</param>
    public PeerRing(TemporaryFolder folder, int nodes, int copies = 1, string token = Token)
    {
        _folder = folder;
        for (int i = 0; i < nodes; i++)
        {
            Known.Living.Add(Start(i));
        }

        _http = NodeHttp.CreateClient(TimeSpan.FromSeconds(2), token);
        Caller = new PeerCaller(_http, TimeProvider.System);
        Files = new PeerFiles(Caller, Known, copies);
        Store = new PeerStore(Files, Model(""), TimeProvider.System);
    }

    /// <summary>Whose checkpoints are saved.</summary>
    public static TaskId Task { get; } = TaskId.Parse("peers-x1");

    public FakePeers Known { get; } = new();

    public PeerCaller Caller { get; }

    public PeerFiles Files { get; }

    public PeerStore Store { get; }

    public HttpClient Http => _http;

    public static CheckpointStoreModel Model(string path) => new() { Path = path, ChunkSizeBytes = ChunkSize };

    /// <summary>The folder of a node, from 0.</summary>
    public string FolderOf(int node) => _folder[$"peer{node}"];

    /// <summary>The folder of a node, by its address.</summary>
    public string FolderOf(NodeAddress node) => FolderOf(_servers.FindIndex(server => server?.Address == node));

    /// <summary>The store of a further node, below a folder.</summary>
    public TieredStore Open(string folder)
    {
        FolderStore local = new(Model(folder), TimeProvider.System);
        TieredStore store = new(local, Store, folder + "-sync", interval: null, TimeProvider.System);
        store.Load();
        return store;
    }

    /// <summary>Saves other bytes each time; what was saved last stands in <c>source</c>.</summary>
    public Task<CheckpointRef> SaveAsync(TieredStore store, int bytes = 50_000)
    {
        byte[] noise = new byte[bytes];
        for (int i = 0; i < bytes; i++)
        {
            noise[i] = (byte)(_random.NextUInt64() >> 56);
        }

        DiskFolder.Write(_folder["source"], new Dictionary<string, byte[]> { ["a"] = noise, ["same"] = [1, 2, 3] });
        StagedState state = new("s1", 10, 1.5, "request", new Dictionary<string, double>());
        SaveRequest request = new(Task, 1, CheckpointNames.Create(1, 10, _random), state, StateSource.OfFolder(_folder["source"]), []);
        return store.SaveAsync(request, CancellationToken.None);
    }

    /// <summary>The bundles below a folder.</summary>
    public static FolderBundles BundlesOf(string folder) => new(Model(folder), TimeProvider.System);

    /// <summary>Ends a node's server with all connections; its folder stays.</summary>
    public async Task<NodeAddress> StopAsync(NodeAddress node)
    {
        int index = _servers.FindIndex(server => server?.Address == node);
        await _servers[index]!.DisposeAsync();
        _servers[index] = null;
        return node;
    }

    /// <summary>The nodes that have a file.</summary>
    public IReadOnlyList<NodeAddress> HoldersOf(TaskId task, string file) =>
        [.. Known.Living.Where(node => File.Exists(Path.Combine(FolderOf(node), task.Value, file)))];

    /// <summary>Changes a file's bytes at all nodes that have it; null removes it.</summary>
    public void Damage(TaskId task, string file, Func<byte[], byte[]?> change)
    {
        foreach (NodeAddress node in HoldersOf(task, file))
        {
            Damage(FolderOf(node), task, file, change);
        }
    }

    /// <summary>Changes a file's bytes below a folder; null removes it.</summary>
    public static void Damage(string root, TaskId task, string file, Func<byte[], byte[]?> change)
    {
        string path = Path.Combine(root, task.Value, file);
        if (change(File.ReadAllBytes(path)) is { } bytes)
        {
            File.WriteAllBytes(path, bytes);
        }
        else
        {
            File.Delete(path);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        foreach (ApiServer? server in _servers)
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
    }

    private NodeAddress Start(int number)
    {
        FolderStore store = new(Model(FolderOf(number)), TimeProvider.System);
        ((FolderFiles)store.Files).TryCreateStore();
        ApiOptions options = new() { Token = Token, Peers = new PeerFolder(FolderOf(number), BundlesOf(FolderOf(number))) };
        ApiServer server = ApiServer.StartAsync(new FakeNode(), options).GetAwaiter().GetResult();
        _servers.Add(server);
        return server.Address;
    }
}

/// <summary>Other nodes as a test says.</summary>
internal sealed class FakePeers : IPeers
{
    private readonly HashSet<NodeAddress> _passedOver = [];

    public NodeAddress Self { get; set; } = new("127.0.0.1", 1);

    public bool IsJoined { get; set; } = true;

    public List<NodeAddress> Living { get; } = [];

    public List<NodeAddress> Missing { get; } = [];

    IReadOnlyList<NodeAddress> IPeers.Living => Living;

    IReadOnlyList<NodeAddress> IPeers.Missing => Missing;

    public bool IsPassedOver(NodeAddress node)
    {
        lock (_passedOver)
        {
            return _passedOver.Contains(node);
        }
    }

    public void PassOver(NodeAddress node)
    {
        lock (_passedOver)
        {
            _passedOver.Add(node);
        }
    }
}
