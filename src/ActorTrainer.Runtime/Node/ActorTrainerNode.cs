using System.Collections.Concurrent;
using ActorTrainer.Checkpoints;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Transport;
using ActorTrainer.Runtime.Workers;
using Akka.Actor;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// A node in this process, as a hosted service: the HTTP server, the workers and the checkpoint store around an engine. It joins, trains,
/// and leaves in order when the host stops.
/// </summary>
public sealed partial class ActorTrainerNode : IHostedService, INodeService, IAsyncDisposable
{
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(5);
    private const string NotYet = "this node has just been started; ask again";

    private readonly NodeModel _asked;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime? _host;
    private readonly Func<ActorSystem>? _hostsSystem;
    private readonly Func<IEnumerable<IClusterObserver>> _observers;
    private readonly ILogger _logger;
    private readonly FolderStore _store;
    private readonly WorkerHost _workers;
    private readonly ConcurrentDictionary<TaskId, TaskProgress> _progress = new();
    private readonly CancellationTokenSource _stopping = new();
    private FileStream? _dataLock;
    private NodeHttpServer? _server;
    private ObserverCalls? _calls;
    private volatile AkkaEngine? _engine;
    private volatile EngineEnd? _end;
    private Task _followed = Task.CompletedTask;
    private Task _warmUp = Task.CompletedTask;

    /// <summary>Prepares a node; nothing runs before the host starts.</summary>
    /// <param name="model">Its configuration.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="hostsSystem">Gives the host's own actor system when the node starts; null: the node makes one.</param>
    /// <param name="host">Stopped when the node has left or cannot go on; null: only <see cref="ExitCode"/> tells.</param>
    /// <param name="observers">Gives the observers of the cluster when the node starts, and not before: they may want the node themselves. Null: none.</param>
    public ActorTrainerNode(
        NodeModel model,
        ILoggerFactory loggers,
        TimeProvider time,
        Func<ActorSystem>? hostsSystem = null,
        IHostApplicationLifetime? host = null,
        Func<IEnumerable<IClusterObserver>>? observers = null)
    {
        _observers = observers ?? (() => []);
        _hostsSystem = hostsSystem;
        _asked = model;
        _loggers = loggers;
        _time = time;
        _host = host;
        _logger = loggers.CreateLogger<ActorTrainerNode>();
        _store = new FolderStore(model.Checkpoints, time);
        WorkerHostOptions options = new()
        {
            DataDirectory = model.DataDir,
            Worker = model.Worker,
            SelfFenceAfter = model.Sharding.SelfFenceAfter,
            SelfCommand = model.Worker.Program ?? WorkerHostOptions.DefaultSelfCommand(),
        };
        _workers = new WorkerHost(options, time, loggers.CreateLogger<WorkerHost>());
    }

    /// <summary>What the process should exit with: 0 left in order, 1 the journal or the node broke, 2 refused by the cluster.</summary>
    public int ExitCode => _end?.ExitCode ?? 0;

    /// <summary>Why it ended, when it was not asked to; null otherwise.</summary>
    public string? Failure => _end?.Failure;

    /// <summary>Where it listens, with the actual port.</summary>
    public NodeAddress Address => _server?.Address ?? _asked.Address;

    /// <inheritdoc />
    public string ClusterName => _asked.ClusterName;

    /// <inheritdoc />
    public long Incarnation => _engine?.Incarnation ?? 0;

    /// <inheritdoc />
    public string? JournalIdentity => _engine?.Journal?.Identity;

    /// <inheritdoc />
    public MembershipView Membership => _engine?.Membership ?? new MembershipView(0, 0, [], []);

    /// <inheritdoc />
    public ClusterRows Cluster => _engine?.Cluster ?? ClusterRows.Empty;

    /// <inheritdoc />
    public IReadOnlyDictionary<TaskId, TaskProgress> LiveProgress => _progress;

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        IClusterObserver[] observers = [.. _observers()];
        ApiOptions api = new() { Token = _asked.Security.Token, Time = _time };
        NodeHttpServer server = new(_asked, routes => ApiEndpoints.Map(routes, this, api), _loggers, _time);
        await server.StartAsync(cancellationToken);
        _server = server;
        _dataLock = LockData(_asked.DataDir);
        NodeModel model = _asked with
        {
            Address = server.Address,
            NodeName = _asked.NodeName.Length > 0 ? _asked.NodeName : $"{server.Address.Host}-{server.Address.Port}",
            SeedNodes = _asked.SeedNodes.Count > 0 ? _asked.SeedNodes : [server.Address],
        };
        _calls = new ObserverCalls(observers, _time, _loggers.CreateLogger<ObserverCalls>());
        EngineParts parts = new(model, ApiEndpoints.ProductVersion, _workers, _store, _loggers, _time, _calls.OnView);
        try
        {
            IReadOnlyList<SeedJournal> seeds = await SeedCheck.RunAsync(model, _time, cancellationToken);
            AkkaEngine engine = new(parts, _hostsSystem?.Invoke());
            JournalIdentity journal = await engine.OpenJournalAsync(cancellationToken);
            SeedCheck.CompareJournals(seeds, journal.Identity, journal.Name);
            await _workers.StartAsync(PostTask, cancellationToken);

            // The first save and restore of a process are several times slower than later ones; a fail-over must not pay for that.
            _warmUp = Task.Run(() => WarmUpAsync(model), _stopping.Token);
            _engine = engine;
            await engine.StartAsync(cancellationToken);
            _followed = Task.Run(() => FollowAsync(engine), CancellationToken.None);
        }
        catch
        {
            // The host does not stop what did not start; the guard must not outlive the attempt.
            await EndPartsAsync();
            _engine = null;
            throw;
        }
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        _engine?.Leave(StopWithin);
        using CancellationTokenSource limit = new(StopWithin + StopMargin, _time);
        try
        {
            await _followed.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            LogStopLate(_logger);
        }

        await EndPartsAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task EndPartsAsync()
    {
        await _warmUp.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _workers.StopAllAsync(TimeSpan.Zero, CancellationToken.None);
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        if (_calls is not null)
        {
            await _calls.DisposeAsync();
        }

        await _workers.DisposeAsync();

        // The listener closes last: as long as it answers, nobody takes the end of a connection for a crash.
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _dataLock?.Dispose();
    }

    /// <inheritdoc />
    public async Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken) =>
        SubmitChecks.Problem(spec) is string problem
            ? new CommandRefused(problem)
            : await AskAsync(engine => engine.SubmitAsync(spec, cancellationToken));

    /// <inheritdoc />
    public Task<CommandReply> CommandAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken) =>
        AskAsync(engine => engine.AskAsync(task, command, cancellationToken));

    /// <inheritdoc />
    public Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken) =>
        _engine is { } engine ? engine.ReadAsync(request, cancellationToken) : Task.FromResult<JournalReply>(new JournalFailed(NotYet));

    /// <inheritdoc />
    public async Task<CommandReply> DrainAsync(NodeAddress node, CancellationToken cancellationToken)
    {
        if (_engine is not { } engine)
        {
            return new CommandUnavailable(NotYet);
        }

        long target = Cluster.Members.LastOrDefault(m => m.Address == node)?.Incarnation ?? 0;
        CommandReply reply = await engine.AskNodeAsync(node, NodeCommandKind.Drain, cancellationToken);
        if (reply is not CommandAccepted)
        {
            return reply;
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_asked.Sharding.DrainTimeout + StopMargin);
        using PeriodicTimer look = new(TimeSpan.FromMilliseconds(200), _time);
        try
        {
            if (node == Address)
            {
                await engine.Ended.WaitAsync(limit.Token);
                return reply;
            }

            while (Cluster.Members.Any(m => m.Incarnation == target && m.Status is MemberStatus.Up or MemberStatus.Leaving or MemberStatus.Joining))
            {
                await look.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new CommandUnavailable($"node {node} has not handed everything over in time; see 'actortrainer cluster show'");
        }

        return reply;
    }

    /// <inheritdoc />
    public Task<CommandReply> CordonAsync(NodeAddress node, bool cordoned, CancellationToken cancellationToken) =>
        AskAsync(engine => engine.AskNodeAsync(node, cordoned ? NodeCommandKind.Cordon : NodeCommandKind.Uncordon, cancellationToken));

    /// <inheritdoc />
    public async Task<CheckpointVerification> VerifyCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken)
    {
        JournalReply reply = await ReadAsync(new ListCheckpointsRequest(task), cancellationToken);
        CheckpointListing? listing = (reply as ListCheckpointsReply)?.Checkpoints.FirstOrDefault(c => c.Checkpoint.Name == checkpoint);
        if (listing is null)
        {
            string detail = reply is JournalFailed failed ? failed.Reason : $"task {task} lists no checkpoint {checkpoint}";
            return new CheckpointVerification(checkpoint, false, false, 0, detail);
        }

        try
        {
            long bytes = await _store.VerifyAsync(task, listing.Checkpoint, cancellationToken);
            return new CheckpointVerification(checkpoint, true, true, bytes, "intact");
        }
        catch (CheckpointDamagedException e)
        {
            return new CheckpointVerification(checkpoint, true, false, 0, e.Message);
        }
        catch (CheckpointStoreException e)
        {
            return new CheckpointVerification(checkpoint, true, false, 0, $"could not be read now: {e.Message}");
        }
    }

    /// <inheritdoc />
    public IReadOnlyList<OutputFile> OutputFiles(TaskId task) => _workers.OutputFiles(task);

    /// <summary>Two nodes on one data directory would end each other's workers as orphans.</summary>
    private static FileStream LockData(string directory)
    {
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, "node.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException(
                $"the data directory {directory} belongs to another node that runs: give each node its own (--data-dir, or actortrainer.node.data-dir)", e);
        }
    }

    private Task<CommandReply> AskAsync(Func<AkkaEngine, Task<CommandReply>> ask) =>
        _engine is { } engine ? ask(engine) : Task.FromResult<CommandReply>(new CommandUnavailable(NotYet));

    private void PostTask(TaskInput input)
    {
        switch (input)
        {
            case WorkerProgressed progressed:
                _progress[progressed.Run.Task] = progressed.Progress;
                break;
            case WorkerExited exited:
                _progress.TryRemove(exited.Run.Task, out _);
                break;
            case WorkerLost lost:
                _progress.TryRemove(lost.Run.Task, out _);
                break;
        }

        _engine?.Post(input);
    }

    private async Task WarmUpAsync(NodeModel model)
    {
        try
        {
            await _store.WarmUpAsync(Path.Combine(model.DataDir, "warm-up"), _stopping.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CheckpointStoreException or OperationCanceledException)
        {
            LogNoWarmUp(_logger, e.Message);
        }
    }

    private async Task FollowAsync(AkkaEngine engine)
    {
        _end = await engine.Ended;
        _host?.StopApplication();
    }
}
