using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Transport;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Archive;
using Akka.Actor;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// A node in this process, as a hosted service: the HTTP server, the workers and the checkpoint store around a <see cref="ClusterNode"/>.
/// It joins, trains, and leaves in order when the host stops.
/// </summary>
public sealed partial class ActorTrainerNode : IHostedService, IAsyncDisposable
{
    // Of what the machine has, for states in memory.
    private const int MemoryShare = 4;
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(5);

    private readonly NodeModel _asked;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime? _host;
    private readonly Func<ActorSystem>? _hostsSystem;
    private readonly Func<IEnumerable<IClusterObserver>> _observers;
    private readonly ILogger _logger;
    private readonly NodeStore _store;
    private readonly WorkerHost _workers;
    private readonly TaskClient _client;
    private readonly ArrivalFolders _arrivals;
    private readonly NodeFiles _files;
    private readonly FolderOutputs _outputs;
    private readonly OutputArchiver _archiver;
    private readonly CheckpointScrubber? _scrubber;
    private readonly CancellationTokenSource _stopping = new();
    private FileStream? _dataLock;
    private NodeHttpServer? _server;
    private ObserverCalls? _calls;
    private volatile ClusterNode? _node;
    private volatile ClusterNodeEnd? _end;
    private Task _followed = Task.CompletedTask;
    private Task _warmUp = Task.CompletedTask;
    private Task _storeCheck = Task.CompletedTask;

    /// <summary>Prepares a node; nothing runs before the host starts.</summary>
    /// <param name="model">Its configuration.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="hostsSystem">Gives the host's own actor system when the node starts; null: the node makes one.</param>
    /// <param name="host">Stopped when the node has left or cannot go on; null: only <see cref="ExitCode"/> tells.</param>
    /// <param name="observers">Gives the observers of the cluster when the node starts, and not before: they may want the node themselves.
    /// Null: none.</param>
    public ActorTrainerNode(
        NodeModel model,
        ILoggerFactory loggers,
        TimeProvider time,
        Func<ActorSystem>? hostsSystem = null,
        IHostApplicationLifetime? host = null,
        Func<IEnumerable<IClusterObserver>>? observers = null
    )
    {
        _observers = observers ?? (() => []);
        _hostsSystem = hostsSystem;
        _asked = model;
        _loggers = loggers;
        _time = time;
        _host = host;
        _logger = loggers.CreateLogger<ActorTrainerNode>();
        _store = new NodeStore(model, time, notice => Say(_logger, notice));
        WorkerHostOptions options = new()
        {
            DataDirectory = model.DataDir,
            Bundles = _store.Bundles,
            Worker = model.Worker,
            SelfFenceAfter = model.Sharding.SelfFenceAfter,
            StateMemoryBytes = model.Checkpoints.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryShare,
            SelfCommand = model.Worker.Program ?? WorkerHostOptions.DefaultSelfCommand(),
        };
        _workers = new WorkerHost(options, time, loggers.CreateLogger<WorkerHost>());
        _client = new TaskClient(model, time, (spec, cancel) => SubmitChecks.ProblemAsync(spec, _store.Bundles, cancel), _store.Store);
        _arrivals = new ArrivalFolders(model.DataDir);
        _files = new NodeFiles(_client, _store.Store, () => _store.Waiting, _store.Bundles, _workers, _arrivals, time);
        // A bucket looks after its objects itself, and every read of them costs money.
        _scrubber =
            model.Checkpoints.Store == CheckpointStoreKind.S3
                ? null
                : new CheckpointScrubber(
                    _client,
                    _store.Store,
                    model.Checkpoints.Copies > 1 ? new KeptCopies(_store.Files, _store.Folder) : null,
                    model.Checkpoints.Scrub,
                    time,
                    loggers.CreateLogger<CheckpointScrubber>()
                );
        _outputs = new FolderOutputs(model.Checkpoints);
        _archiver = new OutputArchiver(
            _outputs,
            new RunDirectories(options.DataDirectory),
            new OutputArchiverOptions(model.Output.ArchiveInterval, model.Worker.LogMaxBytes),
            async cancellationToken => (await _client.ListCheckpointsAsync(task: null, cancellationToken)).Count == 0,
            time,
            loggers.CreateLogger<OutputArchiver>()
        );
    }

    /// <summary>What the process should exit with: 0 left in order, 1 the journal or the node broke, 2 refused by the cluster.</summary>
    public int ExitCode => _end?.ExitCode ?? 0;

    /// <summary>Why it ended, when it was not asked to; null otherwise.</summary>
    public string? Failure => _end?.Failure;

    /// <summary>Where it listens, with the actual port.</summary>
    public NodeAddress Address => _server?.Address ?? _asked.Address;

    /// <summary>Asks the cluster through this node; there from the beginning.</summary>
    public ITaskClient Client => _client;

    /// <summary>
    /// How many checkpoints, bundles and removals wait to be copied to the second tier of the store or to other nodes; null: there is
    /// neither. A number that grows means that the second one, or the others, are away or too slow.
    /// </summary>
    public int? CheckpointBacklog => _store.Backlog;

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        IClusterObserver[] observers = [.. _observers()];
        NodeModel asked = WithUserToken(_asked);
        ApiOptions api = new()
        {
            Token = asked.Security.Token,
            IsUserToken = _asked.Security.Token is null,
            Time = _time,
            Outputs = _outputs,
            Peers = _store.Files,
        };
        NodeHttpServer server = new(asked, routes => ApiEndpoints.Map(routes, _client, _files, api), _loggers, _time);
        await server.StartAsync(cancellationToken);
        _server = server;
        _dataLock = DataFolder.Lock(_asked.DataDir);
        _arrivals.Clear();
        NodeModel model = _asked with
        {
            Address = server.Address,
            NodeName = _asked.NodeName.Length > 0 ? _asked.NodeName : $"{server.Address.Host}-{server.Address.Port}",
            SeedNodes = _asked.SeedNodes.Count > 0 ? _asked.SeedNodes : [server.Address],
        };
        _calls = new ObserverCalls(observers, _time, _loggers.CreateLogger<ObserverCalls>());
        ClusterNodeParts parts = new(model, ApiEndpoints.ProductVersion, _workers, _store.Store, _loggers, _time, _client, _calls.OnView)
        {
            TaskRetired = _archiver.Remove,
        };
        try
        {
            _store.Start(model.Address, _client);
            IReadOnlyList<SeedJournal> seeds = await SeedCheck.RunAsync(model, _time, cancellationToken);
            ClusterNode node = new(parts, _hostsSystem?.Invoke());
            JournalIdentity journal = await node.OpenJournalAsync(cancellationToken);
            SeedCheck.CompareJournals(seeds, journal.Identity, journal.Name);
            await _workers.StartAsync(PostTask, cancellationToken);
            _archiver.Start(model.Address);

            // The first save and restore of a process are several times slower than later ones; a fail-over must not pay for that.
            _warmUp = Task.Run(() => WarmUpAsync(model), _stopping.Token);
            _storeCheck = Task.Run(CheckStoreAsync, _stopping.Token);
            _node = node;
            await node.StartAsync(cancellationToken);
            _scrubber?.Start();
            _followed = Task.Run(() => FollowAsync(node), CancellationToken.None);
        }
        catch
        {
            // The host does not stop what did not start; the guard must not outlive the attempt.
            await EndPartsAsync();
            _node = null;
            throw;
        }
    }

    /// <summary>
    /// Every user of this machine reaches loopback; only its own may ask this node, unless the configuration says otherwise.
    /// </summary>
    private NodeModel WithUserToken(NodeModel model)
    {
        if (model.Security.Token is not null || !NodeModelReader.IsLoopback(model.Address.Host))
        {
            return model;
        }

        if (model.Security.AllowAnonymousLoopback)
        {
            LogAnonymous(_logger);
            return model;
        }

        return model with
        {
            Security = model.Security with { Token = UserToken.ReadOrCreate() },
        };
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        _node?.Leave(_asked.StopTimeout);
        using CancellationTokenSource limit = new(_asked.StopTimeout + StopMargin, _time);
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
        await _storeCheck.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (_scrubber?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _workers.StopAllAsync(TimeSpan.Zero, CancellationToken.None);
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        if (_calls is not null)
        {
            await _calls.DisposeAsync();
        }

        await _workers.DisposeAsync();
        await _archiver.DisposeAsync();
        await _store.DisposeAsync();

        // The listener closes last: as long as it answers, nobody takes the end of a connection for a crash.
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _dataLock?.Dispose();
    }

    private void PostTask(TaskInput input)
    {
        _files.Observe(input);
        _archiver.Observe(input);
        _node?.Post(input);
    }

    private async Task WarmUpAsync(NodeModel model)
    {
        try
        {
            await _store.Folder.WarmUpAsync(Path.Combine(model.DataDir, "warm-up"), _stopping.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CheckpointStoreException or OperationCanceledException)
        {
            LogNoWarmUp(_logger, e.Message);
        }
    }

    /// <summary>A bucket that does not answer holds up no start: others may have it, and it may come back before the first save.</summary>
    private async Task CheckStoreAsync()
    {
        try
        {
            await _store.CheckAsync(_stopping.Token);
        }
        catch (CheckpointStoreException e) when (_store.Backlog is not null)
        {
            LogStoreProblem(_logger, $"checkpoints are kept in the folder alone for now: {e.Message}");
        }
        catch (CheckpointStoreException e)
        {
            LogStoreAway(_logger, e.Message);
        }
    }

    private static void Say(ILogger logger, TierNotice notice)
    {
        if (notice.IsProblem)
        {
            LogStoreProblem(logger, notice.Text);
        }
        else
        {
            LogStoreNews(logger, notice.Text);
        }
    }

    private async Task FollowAsync(ClusterNode node)
    {
        _end = await node.Ended;
        _host?.StopApplication();
    }
}
