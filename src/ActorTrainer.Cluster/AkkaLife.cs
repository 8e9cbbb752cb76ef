using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;
using AkkaCluster = Akka.Cluster.Cluster;
using MemberStatus = ActorTrainer.Core.Journaling.MemberStatus;

namespace ActorTrainer.Cluster;

/// <summary>
/// One life of the node: an actor system in the cluster with a shard region, the slots and the watch over the
/// members. The system is made for it, or it is the host's own.
/// </summary>
internal sealed partial class AkkaLife : IAsyncDisposable
{
    private static readonly TimeSpan StatusWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>The part of the time to leave in which tasks move in order; then all that is left goes at once.</summary>
    private const double InOrderShare = 0.7;
    private static readonly TimeSpan ArchiveEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WarmWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SystemWithin = TimeSpan.FromSeconds(10);

    private readonly EngineParts _parts;
    private readonly MemberTable _members;
    private readonly ILogger _logger;
    private readonly bool _ownSystem;
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IActorRef> _actors = [];
    private readonly TaskHost _host;
    private readonly StuckWriter _stuck;
    private readonly LifePulse _pulse;
    private readonly EngineSetup _setup;
    private readonly long _startedAt;
    private readonly RowFollower _follower;
    private Task _entering = Task.CompletedTask;
    private volatile ClusterSight _sight;
    private int _leaving;

    private AkkaLife(EngineParts parts, EngineSetup setup, LifePulse pulse, ActorSystem system, bool ownSystem)
    {
        _parts = parts;
        _setup = setup;
        _pulse = pulse;
        _ownSystem = ownSystem;
        AkkaDatabase database = setup.Database;
        long incarnation = setup.Incarnation;
        Incarnation = incarnation;
        System = system;
        NodeModel model = parts.Model;
        _logger = parts.Loggers.CreateLogger<AkkaLife>();
        _startedAt = parts.Time.GetTimestamp();
        _members = new MemberTable(database);
        _sight = new ClusterSight(new MembershipView(0, incarnation, [], []), [], 0);
        _stuck = new StuckWriter(database, model.Journal.Path, _logger);
        Rows = new TaskRowTable(database, model.Sharding.NumberOfShards);
        Index = new TaskIndex();
        _follower = new RowFollower(Rows, Index, parts.Time, parts.Loggers.CreateLogger<RowFollower>());
        RowWriter = new RowWriter(Rows, _follower.Kick, parts.Time, parts.Loggers.CreateLogger<RowWriter>());
        Planner = new ShardPlanner(model, Now);
        TaskEffects effects = new(parts.Workers, parts.Store, Post, parts.Loggers.CreateLogger<TaskEffects>(), _over.Token);
        IActorRef slots = Add(Props.Create(() => new SlotActor(model, Now)), "actortrainer-slots");
        _host = new TaskHost
        {
            Home = new EntityHome(incarnation, model.Address),
            NumberOfShards = model.Sharding.NumberOfShards,
            Effects = effects.Start,
            Slots = slots,
            Rows = RowWriter,
            History = new TaskHistory(database),
            KeepEvents = model.Journal.KeepEvents,
            Hold = (task, reason) => Rows.HoldAsync(task, incarnation, reason, _over.Token),
            Elapsed = Now,
            Time = parts.Time,
            Logger = parts.Loggers.CreateLogger<TrainingTaskActor>(),
        };
        Region = ActorRefs.Nobody;
    }

    public long Incarnation { get; }

    public ActorSystem System { get; }

    public IActorRef Region { get; private set; }

    /// <summary>The tasks' rows in the database.</summary>
    public TaskRowTable Rows { get; }

    /// <summary>The unfinished tasks, in memory.</summary>
    public TaskIndex Index { get; }

    /// <summary>Writes rows and takes names.</summary>
    public RowWriter RowWriter { get; }

    public ShardPlanner Planner { get; }

    /// <summary>What was seen of the cluster last.</summary>
    public ClusterSight Sight => _sight;

    /// <summary>Ends with the life, with the reason.</summary>
    public Task<string> Ended => _ended.Task;

    /// <summary>Whether its actor system has ended, or is about to: it leaves, or is lost.</summary>
    public bool IsOver => IsLeaving || _ended.Task.IsCompleted || System.WhenTerminated.IsCompleted;

    public bool IsLeaving => Volatile.Read(ref _leaving) != 0;

    /// <summary>Begins a life: registers it, makes or takes the system, starts its actors.</summary>
    /// <param name="parts">What outlives it.</param>
    /// <param name="database">The journal's database.</param>
    /// <param name="existing">The host's own system, or null.</param>
    /// <param name="obey">Does what other nodes ask of this one.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="IOException">Akka.Remote's address is in use, or the configuration is not accepted by Akka.</exception>
    public static async Task<AkkaLife> BeginAsync(
        EngineParts parts, AkkaDatabase database, ActorSystem? existing, Func<NodeCommandKind, Task<CommandReply>> obey, CancellationToken cancellationToken)
    {
        NodeModel model = parts.Model;
        MemberRow row = new(
            0, model.Address, model.NodeName, model.Roles, model.Slots, MemberStatus.Joining, false, Environment.ProcessId, parts.Version);
        MemberTable members = new(database);
        long incarnation = await members.RegisterAsync(row, cancellationToken);
        LifePulse pulse = await LifePulse.BeginAsync(
            database, model.Journal.Path, incarnation, parts.Time, parts.Loggers.CreateLogger<LifePulse>(), cancellationToken);
        AkkaLife? life = null;
        ActorSystem? system = existing;
        try
        {
            int living = (await members.ReadAsync(cancellationToken)).Count(p => p.IsLiving);
            EngineSetup setup = new(database, new LifeProof(database, model.Journal.Path), incarnation, parts.Loggers);
            system ??= SystemFactory.Create(model, living, setup);
            life = new AkkaLife(parts, setup, pulse, system, existing is null);
            await life.StartAsync(obey, cancellationToken);
            return life;
        }
        catch
        {
            if (life is not null)
            {
                await life.DisposeAsync();
            }
            else
            {
                await (existing is null && system is not null ? system.Terminate() : Task.CompletedTask);
                await pulse.DisposeAsync();
            }

            throw;
        }
    }

    public void Post(TaskInput input) => _host.Post(input);

    /// <summary>Cordons or uncordons this node.</summary>
    public Task CordonAsync(bool cordoned, CancellationToken cancellationToken) => _members.SetCordonedAsync(Incarnation, cordoned, cancellationToken);

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

    private async Task StartAsync(Func<NodeCommandKind, Task<CommandReply>> obey, CancellationToken cancellationToken)
    {
        NodeModel model = _parts.Model;
        AkkaCluster cluster = AkkaCluster.Get(System);
        string selfAddress = cluster.SelfAddress.ToString();
        await _members.LocateAsync(Incarnation, selfAddress, cluster.SelfUniqueAddress.Uid, cancellationToken);
        ILogger watchLogger = _parts.Loggers.CreateLogger<ClusterWatch>();
        ClusterTable table = new(_setup.Database);
        Add(Props.Create(() => new ClusterWatch(_members, table, Incarnation, TaskPersistence.Role, OnSight, Lose, Now, watchLogger)), "actortrainer-members");
        TimeSpan journalLimit = model.Sharding.JournalUnreachableAfter;
        Add(Props.Create(() => new JournalWatch(journalLimit, watchLogger)), JournalWatch.Name);
        if (!_ownSystem)
        {
            // A host's own downing provider does not know of life locks.
            Add(Props.Create(() => new DowningActor(_setup, cluster, true)), "actortrainer-crashes");
        }

        Add(Props.Create(() => new NodeActor(obey, Planner)), NodeActor.Name);
        Index.Changed += OnRows;
        await _follower.StartAsync(cancellationToken);
        StartStarter();
        StartWarmer();
        ShardPlacement placement = new(Planner, Index, () => _sight, selfAddress, WarmAsync, _parts.Loggers.CreateLogger<ShardPlacement>());
        ClusterSharding clusterSharding = ClusterSharding.Get(System); // brings the settings' defaults along
        ClusterShardingSettings settings = _ownSystem ? ClusterShardingSettings.Create(System) : HostSystem.Prepare(System, model);
        Region = await clusterSharding.StartAsync(
            TaskPersistence.TypeName,
            id => TrainingTaskActor.Props(Core.Identity.TaskId.Parse(id), _host),
            settings.WithRole(TaskPersistence.Role),
            new TaskExtractor(model.Sharding.NumberOfShards),
            placement,
            ReleaseTask.Instance);
        cluster.RegisterOnMemberUp(() => _ = SetStatusAsync(MemberStatus.Up));
        _ = System.WhenTerminated.ContinueWith(
            _ => _ended.TrySetResult("the actor system has ended: the others count this node as lost, or it was told to end"),
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
        ClusterEntry entry = new(System, _ownSystem, Incarnation, model.SeedNodes, table, _setup.Proof, _parts.Time, _parts.Loggers.CreateLogger<ClusterEntry>());
        _entering = Task.Run(() => EnterAsync(entry), CancellationToken.None);
        TaskRehearsal rehearsal = new(System, _setup.Database, Incarnation, _parts.Time, _parts.Loggers.CreateLogger<TaskRehearsal>());
        _ = Task.Run(() => rehearsal.RunAsync(_over.Token), CancellationToken.None);
        LogBegun(_logger, model.NodeName, Incarnation, selfAddress);
    }

    private void StartStarter()
    {
        ILogger logger = _parts.Loggers.CreateLogger<TaskStarter>();
        TimeSpan fenceAfter = _parts.Model.Sharding.SelfFenceAfter;
        IActorRef starter = Add(
            Props.Create(() => new TaskStarter(
                _host, Index, () => _sight, () => Region, task => Rows.WithdrawAsync(task, _over.Token), fenceAfter, logger)),
            "actortrainer-starter");
        _host.Starter = starter;
        JournalModel journal = _parts.Model.Journal;
        if (TaskArchiver.IsNeeded(journal))
        {
            ILogger archiving = _parts.Loggers.CreateLogger<TaskArchiver>();
            Add(
                Props.Create(() => new TaskArchiver(
                    Rows, journal, () => _sight.Coordinator == Incarnation, () => Region, ArchiveEvery, _parts.Time, archiving)),
                "actortrainer-archiver");
        }
    }

    private void StartWarmer()
    {
        ILogger logger = _parts.Loggers.CreateLogger<TaskWarmer>();
        Add(Props.Create(() => new TaskWarmer(_host, Index, Planner, _setup.Database, () => _sight, logger)), TaskWarmer.Name);
    }

    /// <summary>Has a worker made ready on another node; what that node does not say in time is not waited for.</summary>
    private async Task WarmAsync(Core.Identity.TaskId task, long to)
    {
        if (_sight.Places.FirstOrDefault(p => p.Row.Incarnation == to) is not { } place)
        {
            return;
        }

        try
        {
            await TaskWarmer.At(System, place).Ask<TaskWarmed>(new WarmTask(task), WarmWithin, _over.Token);
        }
        catch (Exception e) when (e is AskTimeoutException or OperationCanceledException)
        {
            LogNotWarm(_logger, task, place.Row.Address);
        }
    }

    private void OnRows(IReadOnlyList<TaskRow> rows)
    {
        Planner.Show(
            rows.Where(row => !row.Summary.IsFinished).Select(row => TaskDemand.Of(row.Summary, row.Owner)),
            [.. rows.Where(row => row.Summary.IsFinished).Select(row => row.Summary.Task)]);
        _host.Starter.Tell(TaskStarter.Changed);
    }

    private async Task EnterAsync(ClusterEntry entry)
    {
        try
        {
            if (await entry.RunAsync(_over.Token) is { } reason)
            {
                Lose(reason);
            }
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
            // The life ends before it is a member.
        }
        catch (Exception e)
        {
            Lose($"it could not join the cluster: {e.Message}");
        }
    }

    private IActorRef Add(Props props, string name)
    {
        IActorRef actor = System.ActorOf(props, name);
        _actors.Add(actor);
        return actor;
    }

    /// <summary>The others have gone on without this life: it must not take its tasks back.</summary>
    private void Lose(string reason)
    {
        if (!IsLeaving)
        {
            _ended.TrySetResult(reason);
        }
    }

    private void OnSight(ClusterSight sight)
    {
        _sight = sight;
        _host.Starter.Tell(TaskStarter.Changed);
        _parts.ViewChanged(sight.View);
    }

    /// <summary>What else has to be looked at now and then.</summary>
    public void LookAround() => _stuck.Look(_sight);
}
