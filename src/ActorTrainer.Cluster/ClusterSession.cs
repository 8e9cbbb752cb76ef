using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster;

/// <summary>
/// One life of the node: an actor system in the cluster with a shard region, the slots and the watch over the
/// members. The system is made for it, or it is the host's own.
/// </summary>
internal sealed partial class ClusterSession : IAsyncDisposable
{
    private static readonly TimeSpan StatusWithin = TimeSpan.FromSeconds(2);

    /// <summary>How long a life that has moved its tasks waits for their starts before it ends; a task may find no slots there.</summary>
    private static readonly TimeSpan StartsElsewhereWithin = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CheckEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>The part of the time to leave in which tasks move in order; then all that is left goes at once.</summary>
    private const double InOrderShare = 0.7;
    private static readonly TimeSpan ArchiveEvery = TimeSpan.FromSeconds(10);

    /// <summary>What a guard needs to end its workers.</summary>
    private static readonly TimeSpan EndOfWorkers = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan WarmWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SystemWithin = TimeSpan.FromSeconds(10);

    /// <summary>A node does not stay out because it could not rehearse: the journal may be away.</summary>
    private static readonly TimeSpan RehearseWithin = TimeSpan.FromSeconds(10);

    private readonly ClusterNodeParts _parts;
    private readonly MemberTable _members;
    private readonly ILogger _logger;
    private readonly bool _ownSystem;
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IActorRef> _actors = [];
    private readonly TaskHost _host;
    private readonly StuckWriter _stuck;
    private readonly LifePulse _pulse;
    private readonly SessionSetup _setup;
    private readonly long _startedAt;
    private readonly RowFollower _follower;
    private readonly MetricKeeper _metrics;
    private readonly Func<NodeCommandKind, Task<CommandReply>> _execute;
    private Task _entering = Task.CompletedTask;
    private IActorRef _assigner = ActorRefs.Nobody;
    private volatile ClusterView _view;
    private int _leaving;

    private ClusterSession(
        ClusterNodeParts parts,
        SessionSetup setup,
        LifePulse pulse,
        ActorSystem system,
        bool ownSystem,
        Func<NodeCommandKind, Task<CommandReply>> execute
    )
    {
        _execute = execute;
        _parts = parts;
        _setup = setup;
        _pulse = pulse;
        _ownSystem = ownSystem;
        JournalDatabase database = setup.Database;
        long incarnation = setup.Incarnation;
        Incarnation = incarnation;
        System = system;
        NodeModel model = parts.Model;
        _logger = parts.Loggers.CreateLogger<ClusterSession>();
        _startedAt = parts.Time.GetTimestamp();
        _members = new MemberTable(database);
        _view = new ClusterView(0, incarnation, []);
        _stuck = new StuckWriter(database, model.Journal.Path, _logger);
        Rows = new TaskRowTable(database, model.Sharding.NumberOfShards);
        Index = new TaskIndex();
        _follower = new RowFollower(Rows, Index, parts.Time, parts.Loggers.CreateLogger<RowFollower>(), OnJournalWentBack);
        RowWriter = new RowWriter(Rows, _follower.Kick, parts.Time, parts.Loggers.CreateLogger<RowWriter>());
        Metrics = new MetricTable(database);
        _metrics = new MetricKeeper(Metrics, incarnation, parts.Time, parts.Loggers.CreateLogger<MetricKeeper>());
        Planner = new ShardPlanner(model, Now);
        TaskEffects effects = new(parts.Workers, parts.Store, Post, parts.Time, parts.Loggers.CreateLogger<TaskEffects>(), _over.Token);
        IActorRef slots = Add(Props.Create(() => new SlotActor(model, incarnation, Wake, Now)), "actortrainer-slots");
        _host = new TaskHost
        {
            Home = new EntityHome(incarnation, model.Address) { FencedWithin = model.Sharding.SelfFenceAfter + EndOfWorkers },
            NumberOfShards = model.Sharding.NumberOfShards,
            Effects = effects.Start,
            Slots = slots,
            Rows = RowWriter,
            Metrics = _metrics,
            History = new TaskHistory(database),
            KeepEvents = model.Journal.KeepEvents,
            Retired = parts.TaskRetired,
            IsLong = task => Index.Find(task) is { Sequence: >= TrainingTaskActor.SnapshotEvery },
            Hold = (task, reason) => Rows.HoldAsync(task, incarnation, reason, _over.Token),
            Elapsed = Now,
            Time = parts.Time,
            Logger = parts.Loggers.CreateLogger<TrainingTaskActor>(),
        };
        Region = ActorRefs.Nobody;
    }

    public long Incarnation { get; }

    /// <summary>Where the node listens.</summary>
    public NodeAddress Address => _parts.Model.Address;

    /// <summary>The journal's database.</summary>
    public JournalDatabase Database => _setup.Database;

    public ActorSystem System { get; }

    public IActorRef Region { get; private set; }

    /// <summary>The tasks' rows in the database.</summary>
    public TaskRowTable Rows { get; }

    /// <summary>The tasks' metrics over time, in the database.</summary>
    public MetricTable Metrics { get; }

    /// <summary>The unfinished tasks, in memory.</summary>
    public TaskIndex Index { get; }

    /// <summary>Writes rows and takes names.</summary>
    public RowWriter RowWriter { get; }

    public ShardPlanner Planner { get; }

    /// <summary>What was seen of the cluster last.</summary>
    public ClusterView View => _view;

    /// <summary>Ends with the life, with the reason.</summary>
    public Task<string> Ended => _ended.Task;

    /// <summary>Whether no other life of this node may follow.</summary>
    public bool IsLast { get; private set; }

    /// <summary>Whether its actor system has ended, or is about to: it leaves, or is lost.</summary>
    public bool IsOver => IsLeaving || _ended.Task.IsCompleted || System.WhenTerminated.IsCompleted;

    public bool IsLeaving => Volatile.Read(ref _leaving) != 0;

    /// <summary>
    /// Gives a task what became of one of its effects. Not once the life has ended: its workers are ended then, which is no failure of
    /// their tasks, and the journal would take it from here until their next owner has written something.
    /// </summary>
    public void Post(TaskInput input)
    {
        if (!_ended.Task.IsCompleted)
        {
            _host.Post(input);
        }
    }

    /// <summary>Does what is asked of this node.</summary>
    public Task<CommandReply> ExecuteAsync(NodeCommandKind kind) => _execute(kind);

    /// <summary>Cordons or uncordons this node.</summary>
    public Task CordonAsync(bool cordoned, CancellationToken cancellationToken) =>
        _members.SetCordonedAsync(Incarnation, cordoned, cancellationToken);

    /// <summary>Brings <see cref="Index"/> up to date. When the database is away it stays as it is.</summary>
    public async Task ReadRowsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _follower.ReadAsync(cancellationToken);
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
        {
            LogRowsNotRead(_logger, e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _entering.WaitAsync(SystemWithin, _parts.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_ownSystem)
        {
            await System.Terminate().WaitAsync(SystemWithin, _parts.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else
        {
            await StopRegionAsync();
            _actors.ForEach(System.Stop);
        }

        await RowWriter.DisposeAsync();
        await _metrics.DisposeAsync();
        await _follower.DisposeAsync();

        // Last: as long as anything of this life is there, it counts as alive.
        await _pulse.DisposeAsync();
        _over.Dispose();
    }

    /// <summary>In a host's own system a region that is left would go on to receive tasks.</summary>
    private async Task StopRegionAsync()
    {
        if (Region.IsNobody() || System.WhenTerminated.IsCompleted)
        {
            return;
        }

        using CancellationTokenSource limit = new(SystemWithin, _parts.Time);
        Task<bool> stopped = Region.WatchAsync(limit.Token);
        System.Stop(Region);
        await ((Task)stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private TimeSpan Now() => _parts.Time.GetElapsedTime(_startedAt);

    private void OnRows(IReadOnlyList<TaskRow> rows)
    {
        Planner.Show(
            rows.Where(row => !row.Summary.IsFinished).Select(row => TaskDemand.Of(row.Summary, row.Owner)),
            [.. rows.Where(row => row.Summary.IsFinished).Select(row => row.Summary.Task)]
        );
        RowsChanged changed = new(rows);
        _host.Slots.Tell(changed);
        _host.Starter.Tell(TaskStarter.Changed);
        _assigner.Tell(changed);
    }

    private void TellChanged()
    {
        _host.Starter.Tell(TaskStarter.Changed);
        _assigner.Tell(TaskAssigner.Changed);
    }

    private IActorRef Add(Props props, string name)
    {
        IActorRef actor = System.ActorOf(props, name);
        _actors.Add(actor);
        return actor;
    }

    /// <summary>A new life would train on from a past that somebody has to know of first.</summary>
    private void OnJournalWentBack(string reason)
    {
        IsLast = true;
        End(reason);
    }

    /// <summary>The others have gone on without this life: it must not take its tasks back.</summary>
    private void End(string reason)
    {
        if (!IsLeaving)
        {
            _ended.TrySetResult(reason);
        }
    }

    private void OnView(ClusterView view)
    {
        _view = view;
        TellChanged();
        _parts.ViewChanged(view);
    }

    /// <summary>Polls what no event tells.</summary>
    public void Poll() => _stuck.Check(_view);
}
