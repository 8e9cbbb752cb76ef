using ActorTrainer.Client;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Testing.Processes;

/// <summary>
/// Real node processes, on loopback or in a <see cref="NodeNetwork"/>, with a journal and a checkpoint store in one folder. Disposing of it
/// ends them.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan ChildrenLimit = TimeSpan.FromSeconds(10);

    private readonly List<LocalNode> _nodes = [];
    private readonly int _slots;
    private readonly IReadOnlyList<string> _settings;
    private readonly Lazy<string?> _postgreSql;
    private readonly NodeNetwork? _network;
    private readonly string? _token;

    /// <summary>Prepares nodes on loopback; none is started.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="slots">Slots of each.</param>
    /// <param name="settings">Further <c>key=value</c> settings of every node.</param>
    public LocalCluster(int nodes, int slots = 4, params IReadOnlyList<string> settings)
        : this([.. LoopbackPorts.Free(nodes).Select(port => new NodeAddress("127.0.0.1", port))], null, slots, settings) { }

    /// <summary>Prepares nodes in a network of their own, with a token and certificates; none is started.</summary>
    /// <param name="network">The network, which has to outlive the nodes.</param>
    /// <param name="slots">Slots of each.</param>
    public LocalCluster(NodeNetwork network, int slots = 4)
        : this(network.Nodes, network, slots, []) { }

    private LocalCluster(IReadOnlyList<NodeAddress> addresses, NodeNetwork? network, int slots, IReadOnlyList<string> settings)
    {
        Folder = Directory.CreateTempSubdirectory("actortrainer-cluster-").FullName;
        NodeSecrets? secrets = network is null ? null : new NodeSecrets(Folder);
        _network = network;
        _slots = slots;
        _settings = [.. settings, .. secrets?.Settings ?? []];
        _token = secrets?.Token;
        Environment = new(secrets?.Environment ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (NodeAddress address in addresses)
        {
            _nodes.Add(new LocalNode(this, _nodes.Count + 1, address));
        }

        _postgreSql = new(() => Server?.NewDatabase());
        Client = ClientOf(_nodes);
    }

    /// <summary>The server in which a new database of this cluster's own is its journal; null: an SQLite file in its folder.</summary>
    public PostgreSqlInstance? Server { get; init; }

    /// <summary>The connection string of its database in <see cref="Server"/>; null: its journal is an SQLite file.</summary>
    public string? PostgreSql => _postgreSql.Value;

    /// <summary>A further <c>key=value</c> setting of a node, by its number, over those of all.</summary>
    public Dictionary<int, string> SettingOf { get; } = [];

    /// <summary>
    /// Whether each node has a disk of its own, <see cref="DiskOf"/>, with its checkpoints and its data. Default false: the nodes share a
    /// store.
    /// </summary>
    public bool OwnDisks { get; init; }

    /// <summary>Whether every node is told of all others as seeds. Default true.</summary>
    public bool Seeds { get; init; } = true;

    /// <summary>Holds everything that the nodes write.</summary>
    public string Folder { get; }

    /// <summary>The journal's file, when it is one.</summary>
    public string JournalPath => Path.Combine(Folder, "actortrainer-data", "journal.db");

    /// <summary>The checkpoint store's folder.</summary>
    public string StorePath => Path.Combine(Folder, "actortrainer-data", "checkpoints");

    /// <summary>With <see cref="OwnDisks"/>: what is lost with a node's machine.</summary>
    public string DiskOf(LocalNode node) => Path.Combine(Folder, $"disk{node.Number}");

    /// <summary>With <see cref="OwnDisks"/>: SIGKILL, and then nothing is left of what was on the node's machine.</summary>
    public async Task LoseAsync(LocalNode node)
    {
        await node.KillAsync();
        string disk = DiskOf(node);
        await WaitAsync(
            "its guard has ended its workers",
            () =>
                Task.FromResult(
                    Children()
                        .All(child =>
                            !(child.Variable("ACTORTRAINER_NODE_DIR") ?? child.CommandLine).Contains(disk, StringComparison.Ordinal)
                        )
                ),
            TimeSpan.FromSeconds(30)
        );
        Directory.Delete(disk, recursive: true);
    }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<LocalNode> Nodes => _nodes;

    /// <summary>A client that knows all nodes.</summary>
    public ActorTrainerClient Client { get; }

    /// <summary>Added to the environment of nodes started from now on.</summary>
    public Dictionary<string, string> Environment { get; }

    /// <summary>The folder of the solution that this build belongs to.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The executable of this build.</summary>
    public static string Executable { get; } = FindBuilt("src/ActorTrainer.Cli", Path.Combine("publish", "actortrainer"));

    /// <summary>A file that a project of this repository was built to, in the configuration that this program was built in.</summary>
    /// <exception cref="FileNotFoundException">It is not built.</exception>
    public static string FindBuilt(string project, string file)
    {
        string release = $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}";
        string configuration = AppContext.BaseDirectory.Contains(release, StringComparison.Ordinal) ? "Release" : "Debug";
        string path = Path.Combine(Repository, project, "bin", configuration, "net10.0", file);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{project} is not built: there is no {path}", path);
    }

    /// <summary>A client that knows these nodes only.</summary>
    public static ActorTrainerClient ClientOf(params IReadOnlyList<NodeAddress> nodes) => ClientOf(null, nodes);

    /// <summary>A client that knows some nodes of this cluster only, and its token.</summary>
    public ActorTrainerClient ClientOf(params IEnumerable<LocalNode> nodes) => ClientOf(_token, [.. nodes.Select(n => n.Address)]);

    private static ActorTrainerClient ClientOf(string? token, IReadOnlyList<NodeAddress> nodes) =>
        new(
            new ActorTrainerClientOptions
            {
                Nodes = nodes,
                Token = token,
                Timeout = TimeSpan.FromSeconds(3),
            }
        );

    /// <summary>Starts all nodes and waits for them.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        foreach (LocalNode node in _nodes)
        {
            node.Start();
        }

        await WaitForNodesAsync(cancellationToken);
    }

    /// <summary>Waits until every running node is up and is reached; shards get their owners when they are first asked for.</summary>
    public Task WaitForNodesAsync(CancellationToken cancellationToken = default) =>
        WaitAsync(
            "all nodes are up",
            async () => AreReady(await Client.GetClusterAsync(cancellationToken)),
            TimeSpan.FromSeconds(120),
            cancellationToken
        );

    private bool AreReady(ClusterStatus status)
    {
        NodeAddress[] running = [.. _nodes.Where(n => n.IsRunning).Select(n => n.Address).Order()];
        MemberView[] up = [.. status.Members.Where(m => m.State == MemberState.Up)];
        return up.All(m => m.Reachable) && up.Select(m => m.Address).Order().SequenceEqual(running);
    }

    /// <summary>
    /// Stops a node with SIGSTOP, and not in the middle of a transaction: on SQLite such a one is ended, so that the others can write.
    /// </summary>
    public async Task FreezeAsync(LocalNode node)
    {
        while (true)
        {
            node.Signal(Signals.Stop);
            await WaitAsync(
                $"node {node.Number} stands still",
                () => Task.FromResult(File.ReadAllText($"/proc/{node.Pid}/stat").Contains(") T ", StringComparison.Ordinal)),
                TimeSpan.FromSeconds(30)
            );
            if (Server is not null || WalLock.FindWriter(JournalPath) != node.Pid)
            {
                return;
            }

            node.Signal(Signals.Continue);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>Asks again and again until a condition holds; while nodes are away an answer may fail.</summary>
    /// <exception cref="TimeoutException">It did not hold in time; the message has the nodes' last log lines.</exception>
    public async Task WaitAsync(string what, Func<Task<bool>> condition, TimeSpan limit, CancellationToken cancellationToken = default)
    {
        long started = TimeProvider.System.GetTimestamp();
        Exception? last = null;
        while (TimeProvider.System.GetElapsedTime(started) < limit)
        {
            try
            {
                if (await condition())
                {
                    return;
                }

                last = null;
            }
            catch (Exception e) when (e is NoNodeException or ActorTrainerApiException or UnknownOutcomeException or HttpRequestException)
            {
                last = e;
            }

            await Task.Delay(Look, TimeProvider.System, cancellationToken);
        }

        throw new TimeoutException(
            $"not within {limit.TotalSeconds:0} s: {what}{(last is null ? "" : $" (last answer: {last.Message})")}\n{Logs()}"
        );
    }

    /// <summary>Runs the executable as a user would, in the cluster's folder, asking all nodes unless told otherwise.</summary>
    public Task<CommandResult> RunAsync(params IReadOnlyList<string> arguments) =>
        CommandResult.RunAsync(
            Executable,
            arguments,
            Folder,
            new Dictionary<string, string>(Environment)
            {
                ["ACTORTRAINER_NODE"] = string.Join(',', _nodes.Select(n => n.Address)),
                ["NO_COLOR"] = "1",
            }
        );

    /// <summary>
    /// Processes that nodes of this cluster started, guards and all that workers left behind; the nodes themselves are not among them.
    /// </summary>
    public IReadOnlyList<ProcessInfo> Children() =>
        [
            .. ProcessInfo
                .All()
                .Where(p => IsGuard(p) || (p.Variable("ACTORTRAINER_NODE_DIR")?.StartsWith(Folder, StringComparison.Ordinal) ?? false)),
        ];

    /// <summary>The guard of a node, or null while it has none.</summary>
    public ProcessInfo? GuardOf(LocalNode node) => ProcessInfo.All().FirstOrDefault(p => p.Parent == node.Pid && IsGuard(p));

    private bool IsGuard(ProcessInfo process) => process.CommandLine.Contains($" guard --node-dir {Folder}", StringComparison.Ordinal);

    /// <summary>Ends every process and removes the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (LocalNode node in _nodes)
        {
            if (node.IsRunning)
            {
                // A stopped process takes SIGKILL as well.
                await node.KillAsync();
            }
        }

        Client.Dispose();
        await EndChildrenAsync();
        await RemoveFolderAsync();
    }

    private async Task EndChildrenAsync()
    {
        // Guards end what they started when their node's pipe closes. What is left after that is ended here: no test may leave a process.
        long started = TimeProvider.System.GetTimestamp();
        while (Children() is { Count: > 0 } left)
        {
            if (TimeProvider.System.GetElapsedTime(started) > ChildrenLimit)
            {
                foreach (ProcessInfo process in left)
                {
                    Signals.TrySend(process.Pid, Signals.Kill);
                }
            }

            await Task.Delay(Look, TimeProvider.System);
        }
    }

    /// <summary>The last lines of every node's log.</summary>
    public string Logs(int lines = 25) =>
        string.Join(
            '\n',
            _nodes
                .Where(n => File.Exists(n.LogPath))
                .SelectMany(n => new[] { $"--- node {n.Number}" }.Concat(File.ReadLines(n.LogPath).TakeLast(lines)))
        );

    internal IEnumerable<string> NodeCommand(LocalNode node) =>
        [
            .. _network?.Enter(node.Number) ?? [],
            Executable,
            "node",
            "--address",
            node.Address.ToString(),
            "--name",
            $"node{node.Number}",
            "--slots",
            _slots.ToString(System.Globalization.CultureInfo.InvariantCulture),
            .. _nodes.Where(_ => Seeds).SelectMany(n => new[] { "--seed", n.Address.ToString() }),
            .. PostgreSql is { } connection ? new[] { "--set", $"actortrainer.journal.postgresql={connection}" } : [],
            .. _settings.SelectMany(s => new[] { "--set", s }),
            .. OwnDisks
                ? new[]
                {
                    "--set",
                    $"actortrainer.checkpoints.path={DiskOf(node)}/checkpoints",
                    "--set",
                    $"actortrainer.node.data-dir={DiskOf(node)}/data",
                }
                : [],
            .. SettingOf.TryGetValue(node.Number, out string? own) ? new[] { "--set", own } : [],
        ];

    private async Task RemoveFolderAsync()
    {
        // Guards end the workers when their node's pipe closes, and write until then.
        for (int i = 0; ; i++)
        {
            try
            {
                Directory.Delete(Folder, recursive: true);
                return;
            }
            catch (IOException) when (i < 100)
            {
                await Task.Delay(Look, TimeProvider.System);
            }
        }
    }

    private static string FindRepository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ActorTrainer.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} has ActorTrainer.sln");
    }

    /// <summary>An address of this machine that nobody listened at a moment ago.</summary>
    public static NodeAddress FreeAddress() => new("127.0.0.1", LoopbackPorts.Free(1)[0]);
}
