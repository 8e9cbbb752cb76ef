using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>This node is life 1, which coordinates unless a test says otherwise; life 2 lives and life 3 is lost.</summary>
public sealed class TaskAssignerTests : TestKit
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(700);

    private readonly TaskIndex _index = new();
    private readonly ShardPlanner _planner = new(new NodeModel(), () => TimeSpan.FromSeconds(1));
    private readonly TestProbe _written;
    private readonly TestProbe _woken;
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private ClusterView _view = View(coordinator: 1);
    private Func<TaskId, bool> _isBehind = _ => false;
    private int _failures;

    public TaskAssignerTests()
        : base(TestSystems.InMemory())
    {
        _written = CreateTestProbe();
        _woken = CreateTestProbe();
        _index.Changed += rows => _planner.Show(rows.Select(row => TaskDemand.Of(row.Summary, row.Owner)), []);
    }

    [Fact]
    public void Tasks_AtRestOfALostLife_AreGivenToLivesThatAccept()
    {
        _index.Apply([
            Row("a", 3),
            Row("b", 3, shard: 4, TaskStatus.Paused),
            Row("c", 2, shard: 5),
            Row("d", 3, shard: 6, TaskStatus.Running),
            Row("e", 3, shard: 7, TaskStatus.Held),
        ]);

        Start();

        Written first = _written.ExpectMsg<Written>();
        IReadOnlyList<Written> all = [first, .. _written.ReceiveWhile(Quiet, message => (Written)message)];
        all.SelectMany(w => w.Tasks).Order().ShouldBe(["a", "b"]);
        all.Select(w => w.Owner).ShouldBeSubsetOf([1, 2]);
    }

    [Fact]
    public void Tasks_WhoseShardIsWithAnotherLivingLife_FollowIt()
    {
        _index.Apply([Row("a", 1), Row("b", 1, shard: 4), Row("c", 1, shard: 5, TaskStatus.Held)]);
        _planner.Rebalance(
            new Dictionary<int, long>
            {
                [3] = 2,
                [4] = 1,
                [5] = 2,
            },
            new HashSet<int>(),
            _view
        );

        Start();

        Written written = _written.ExpectMsg<Written>();
        (string.Concat(written.Tasks.Order()), written.Owner).ShouldBe(("ac", 2));
    }

    [Fact]
    public void Task_WhoseRowIsBehind_IsWokenUntilTheRowIsAnother()
    {
        _isBehind = task => task.Value[0] == 'a';
        _index.Apply([Row("a", 3)]);
        IActorRef assigner = Start();

        _woken.ExpectMsg<TaskId>().Value[0].ShouldBe('a');
        _woken.ExpectMsg<TaskId>(TimeSpan.FromSeconds(10)).Value[0].ShouldBe('a');
        _index.Apply([Row("a", 1) with { Version = 2 }]);
        assigner.Tell(new RowsChanged([_index.All[0]]));

        _woken.ReceiveWhile(Quiet, message => message).Count.ShouldBeLessThanOrEqualTo(1);
        _woken.ExpectNoMsg(Quiet);
    }

    [Fact]
    public void Task_WhoseRowChangesLater_IsGivenWithoutALookAtTheOthers()
    {
        _index.Apply([Row("a", 1), Row("b", 1, shard: 4)]);
        IActorRef assigner = Start();
        _written.ExpectNoMsg(Quiet);
        _index.Apply([Row("b", 3, shard: 4) with { Version = 2 }]);

        assigner.Tell(new RowsChanged([_index.Find("b")!]));

        _written.ExpectMsg<Written>().Tasks.ShouldBe(["b"]);
    }

    [Fact]
    public void Write_ThatFailed_IsTriedAgain()
    {
        _failures = 1;
        _index.Apply([Row("a", 3)]);

        Start();

        _written.ExpectMsg<Written>(TimeSpan.FromSeconds(10)).Tasks.ShouldBe(["a"]);
    }

    [Fact]
    public void Tasks_WhileAnotherLifeCoordinatesOrOthersAreWaitedFor_AreLeftAlone()
    {
        _index.Apply([Row("a", 3)]);
        Start(settle: TimeSpan.FromMinutes(1));
        _view = View(coordinator: 2);
        Start();

        _written.ExpectNoMsg(Quiet);
    }

    private IActorRef Start(TimeSpan settle = default) =>
        Sys.ActorOf(
            Props.Create(() =>
                new TaskAssigner(
                    _index,
                    _planner,
                    () => _view,
                    AssignAsync,
                    task => _woken.Ref.Tell(task, ActorRefs.NoSender),
                    () => TimeProvider.System.GetElapsedTime(_started),
                    settle,
                    NullLogger.Instance
                )
            )
        );

    private Task<List<TaskId>> AssignAsync(IReadOnlyCollection<TaskId> tasks, long seen, long owner)
    {
        if (_failures-- > 0)
        {
            return Task.FromException<List<TaskId>>(new IOException("the journal is away"));
        }

        TaskId[] taken = [.. tasks.Where(task => !_isBehind(task))];
        _index.Apply([.. taken.Select(task => _index.Find(task)! with { Owner = owner, Version = seen + 1 })]);
        if (taken.Length > 0)
        {
            _written.Ref.Tell(new Written([.. taken.Select(task => task.Value.Split('-')[0])], owner), ActorRefs.NoSender);
        }

        return Task.FromResult<List<TaskId>>([.. tasks.Where(_isBehind)]);
    }

    private static ClusterView View(long coordinator) =>
        new(
            1,
            1,
            [
                Member(1, coordinator),
                Member(2, coordinator),
                Member(3, coordinator) with
                {
                    Status = MemberStatus.Down,
                    State = MemberState.Down,
                },
            ]
        );

    private static ClusterMember Member(long life, long coordinator) =>
        new(life, new NodeAddress("127.0.0.1", (int)(7400 + life)), $"node{life}", [], 4, MemberStatus.Up, false, 1, "0")
        {
            State = MemberState.Up,
            IsCoordinator = life == coordinator,
        };

    private static TaskRow Row(string name, long owner, int shard = 3, TaskStatus status = TaskStatus.Pending) =>
        new(
            new TaskState
            {
                Task = TaskId.Parse($"{name}-a1b2c"),
                Spec = TaskFixture.Spec with { Name = name },
                Status = status,
            }.Summarize(shard),
            2,
            1,
            owner,
            default,
            default,
            1
        );

    private sealed record Written(IReadOnlyList<string> Tasks, long Owner);
}
