using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster;
using Microsoft.Extensions.Logging;
using AkkaCluster = Akka.Cluster.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Gets workers ready where tasks are about to go on: for a move when the coordinator asks, and for the tasks of a dead node as soon as its
/// death is proven, while the cluster still removes the member. And memory, for the largest state that another node has.
/// </summary>
internal sealed partial class TaskWarmer : ReceiveActor, IWithTimers
{
    /// <summary>Its name below <c>/user</c>, the same on every node.</summary>
    public const string Name = "actortrainer-warmer";

    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);

    /// <summary>A task whose worker is ready comes within this time, or it goes elsewhere.</summary>
    private static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(30);

    private readonly TaskHost _host;
    private readonly TaskIndex _index;
    private readonly ShardPlanner _planner;
    private readonly JournalDatabase _database;
    private readonly Func<ClusterView> _view;
    private readonly Action<long> _expectState;
    private readonly ILogger _logger;
    private readonly AkkaCluster _cluster;
    private readonly CancellationTokenSource _stopping = new();

    public TaskWarmer(
        TaskHost host,
        TaskIndex index,
        ShardPlanner planner,
        JournalDatabase database,
        Func<ClusterView> view,
        Action<long> expectState,
        ILogger logger
    )
    {
        _host = host;
        _index = index;
        _planner = planner;
        _database = database;
        _view = view;
        _expectState = expectState;
        _logger = logger;
        _cluster = AkkaCluster.Get(Context.System);
        Receive<LifeDowned>(downed => OnDowned(downed.Life));
        Receive<WarmTask>(warm =>
        {
            IActorRef asker = Sender;
            WarmAsync(warm.Task)
                .PipeTo(
                    asker,
                    success: () => new TaskWarmed(warm.Task),
                    failure: e =>
                    {
                        LogNotWarmed(_logger, warm.Task, e.Message);
                        return new TaskWarmed(warm.Task);
                    }
                );
        });
        Receive<CheckDue>(_ =>
        {
            _host.EndWarm(KeepFor);
            _expectState(_index.LargestStateBut(_host.Home.Incarnation));
        });
        ReceiveAny(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Where a member's warmer is.</summary>
    public static ActorSelection At(ActorSystem system, ClusterMember member) =>
        system.ActorSelection($"{member.System.Address}/user/{Name}");

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(LifeDowned));
        Timers.StartPeriodicTimer(nameof(CheckDue), CheckDue.Instance, CheckEvery);
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        _stopping.Cancel();
        _stopping.Dispose();
        _host.EndWarm(TimeSpan.MinValue);
    }

    /// <summary>Whoever coordinates from now on will give the tasks to the same nodes.</summary>
    private void OnDowned(long life)
    {
        ClusterView view = _view();
        if (life == 0 || !CoordinatesWithout(life, view))
        {
            return;
        }

        IReadOnlyList<PlannedHeir> heirs = _planner.FailOver(life, view);
        foreach (PlannedHeir heir in heirs)
        {
            if (view.Find(heir.To) is { } member)
            {
                At(Context.System, member).Tell(new WarmTask(heir.Task));
            }
        }

        if (heirs.Count > 0)
        {
            LogHeirs(_logger, life, heirs.Count);
        }
    }

    /// <summary>Whether this node is the oldest one when a life is gone.</summary>
    private bool CoordinatesWithout(long life, ClusterView view)
    {
        ClusterMember? lost = view.Find(life);
        Member? oldest = GossipStates.OldestOf(
            _cluster
                .State.Members.Where(m => m.HasRole(TaskPersistence.Role) && m.Status is AkkaStatus.Up or AkkaStatus.Leaving)
                .Where(m => m.UniqueAddress.Uid != lost?.System.Uid)
        );
        return oldest?.UniqueAddress.Equals(_cluster.SelfUniqueAddress) == true;
    }

    private async Task WarmAsync(TaskId task)
    {
        if (_index.Find(task) is not { Summary.IsFinished: false } row)
        {
            return;
        }

        List<ReadEvent> first = await EventTable.ReadAsync(_database, task, 0, 1, _stopping.Token);
        if (first is [{ Written.Event: TaskSubmitted submitted }] && _host.Warm(task, submitted.Spec, row) is { } run)
        {
            await run.Ready;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "life {Life} is lost: {Count} workers get ready for its tasks")]
    private static partial void LogHeirs(ILogger logger, long life, int count);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "no worker could be made ready for task {Task}; it starts when the task comes: {Problem}"
    )]
    private static partial void LogNotWarmed(ILogger logger, TaskId task, string problem);

    private sealed class CheckDue : INoSerializationVerificationNeeded
    {
        public static CheckDue Instance { get; } = new();
    }
}
