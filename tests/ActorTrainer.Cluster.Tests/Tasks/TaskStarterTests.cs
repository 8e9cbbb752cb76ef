using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>This node is life 1, which coordinates unless a test says otherwise; life 2 lives and life 3 is lost.</summary>
public sealed class TaskStarterTests : TestKit
{
    /// <summary>By which a region forgets where a shard is.</summary>
    private const string AskAnew = "BeginHandOff";

    private readonly TaskIndex _index = new();
    private readonly TestProbe _region;
    private readonly TaskHost _host;
    private readonly List<TaskId> _withdrawn = [];
    private ClusterView _view = View(coordinator: 1);
    private TimeSpan? _stopped;

    public TaskStarterTests()
        : base(TestSystems.InMemory())
    {
        _region = CreateTestProbe();
        _region.IgnoreMessages(message => message.GetType().Name == AskAnew);
        long started = TimeProvider.System.GetTimestamp();
        _host = new TaskHost
        {
            Home = new EntityHome(1, new NodeAddress("127.0.0.1", 7400)),
            NumberOfShards = 16,
            Effects = _ => { },
            Slots = ActorRefs.Nobody,
            Rows = new RecordedRows(),
            Elapsed = () => _stopped ?? TimeProvider.System.GetElapsedTime(started),
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
        };
    }

    [Fact]
    public void Tasks_OfALostLife_AreWokenByPriority()
    {
        _index.Apply([Row("a", 3, priority: 1), Row("b", 2), Row("c", 3, priority: 7)]);

        Start();

        Woken().ShouldBe("c");
        Woken().ShouldBe("a");
    }

    [Fact]
    public void Task_OfALostLife_IsLookedForAnewByTheRegion()
    {
        _region.IgnoreNoMessages();
        _index.Apply([Row("a", 3)]);

        Start();

        _region.ExpectMsg<object>(TimeSpan.FromSeconds(10)).GetType().Name.ShouldBe(AskAnew);
        Woken().ShouldBe("a");
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Task_ThatNobodyHasYet_IsWokenUntilItsRowNamesALivingOwner()
    {
        _index.Apply([Row("a", 3)]);
        Start();
        Woken().ShouldBe("a");
        Woken().ShouldBe("a", "what the region is sent before it knows of the loss is lost with the node");

        _index.Apply([Row("a", 2) with { Version = 2 }]);

        _region
            .ReceiveWhile(TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300), message => message)
            .Count.ShouldBeLessThanOrEqualTo(1);
        _region.ExpectNoMsg(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Task_OfALostLife_IsWokenAtOnceWhenItsMemberIsRemoved()
    {
        _stopped = TimeSpan.FromSeconds(1); // nothing is due again by itself
        _index.Apply([Row("a", 3)]);
        Start();
        Woken().ShouldBe("a");
        _region.ExpectNoMsg(TimeSpan.FromMilliseconds(200));

        Sys.EventStream.Publish(LifeRemoved.Instance);

        Woken().ShouldBe("a");
    }

    [Fact]
    public void Tasks_OfALostLife_AreLeftToTheCoordinatorsNode()
    {
        _view = View(coordinator: 2);
        _index.Apply([Row("a", 3)]);

        Start();

        _region.ExpectNoMsg(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Task_OfThisLifeWithoutAnActor_IsWoken()
    {
        _view = View(coordinator: 2);
        _index.Apply([Row("a", 1)]);

        Start();

        Woken().ShouldBe("a");
    }

    [Fact]
    public void Tasks_ThatMayRest_AreLeftToTheSlots()
    {
        _index.Apply([
            Row("a", 3, status: TaskStatus.Pending),
            Row("b", 3, status: TaskStatus.Paused),
            Row("c", 1, status: TaskStatus.Held),
            Row("d", 3, status: TaskStatus.Held),
        ]);

        Start();

        Woken().ShouldBe("d", "what its life could not read another one perhaps can");
        _region.ReceiveWhile(TimeSpan.FromMilliseconds(700), message => ((WakeTask)message).Task.Value[0]).ShouldAllBe(name => name == 'd');
    }

    [Fact]
    public void Task_ThatWasReleased_IsWokenAtOnceAndOneThatFailedAfterAWhile()
    {
        _view = View(coordinator: 2);
        IActorRef starter = Start();

        starter.Tell(new TaskStopped(TaskId.Parse("failed-a1b2c"), TaskStopReason.Failed));
        starter.Tell(new TaskStopped(TaskId.Parse("rest-a1b2c"), TaskStopReason.Passivated));
        starter.Tell(new TaskStopped(TaskId.Parse("released-a1b2c"), TaskStopReason.Released));

        Woken().ShouldBe("released");
        Woken().ShouldBe("failed");
        _region.ExpectNoMsg(TimeSpan.FromMilliseconds(300));
    }

    /// <summary>A node that is cut off from the others, and reaches the journal, must not take their tasks back.</summary>
    [Fact]
    [Trait("Lane", "Slow")]
    public void Task_ThatAnotherLifeHasTaken_IsNotWokenHere()
    {
        _index.Apply([Row("a", 2), Row("b", 2)]);
        IActorRef starter = Start();

        starter.Tell(new TaskStopped(TaskId.Parse("a-a1b2c"), TaskStopReason.Fenced));
        starter.Tell(new TaskStopped(TaskId.Parse("b-a1b2c"), TaskStopReason.Failed));
        starter.Tell(new TaskStopped(TaskId.Parse("unknown-a1b2c"), TaskStopReason.Fenced));

        Woken().ShouldBe("unknown", "no row says whose it is");
        _region.ExpectNoMsg(TimeSpan.FromSeconds(1));
    }

    /// <summary>Its row is written when the journal answers again, and may name the lost owner before as one that may rest after.</summary>
    [Fact]
    [Trait("Lane", "Slow")]
    public void Task_WithAParkedRun_IsWokenUntilAnActorTakesItUp()
    {
        ClusterMember lost = Member(3) with { State = MemberState.Down }; // and the journal, which is away, does not know it yet
        _view = new ClusterView(1, 1, [Member(1), Member(2), lost]);
        _index.Apply([Row("a", 3)]);
        IActorRef starter = Start();
        TaskId task = TaskId.Parse("a-a1b2c");
        ParkedRun run = new(ActorRefs.Nobody, new TaskEntity(task, _host.Home, journalsProgress: false), EntityStep.Nothing, 3);
        _host.Park(run, new TaskInbox());
        starter.Tell(new TaskStopped(task, TaskStopReason.Parked));
        _region.ExpectNoMsg(TimeSpan.FromSeconds(2));

        _index.Apply([Row("a", 1, status: TaskStatus.Pending) with { Version = 2 }]);

        Woken().ShouldBe("a");
        Woken().ShouldBe("a", "nobody has taken the run");
        _host.TakeParked(task, new TaskInbox()).ShouldBe(run);
        _region.ReceiveWhile(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(1.5), message => message).Count.ShouldBeLessThanOrEqualTo(1);
        _region.ExpectNoMsg(TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Task_OfALifeThatIsLostLater_IsWokenThen()
    {
        _view = View(coordinator: 1, lost: false);
        _index.Apply([Row("a", 3)]);
        IActorRef starter = Start();
        _region.ExpectNoMsg(TimeSpan.FromSeconds(1));

        _view = View(coordinator: 1);
        starter.Tell(TaskStarter.Changed);

        Woken().ShouldBe("a");
    }

    [Fact]
    public void Name_ThatNobodySubmitsUnder_IsGivenBack()
    {
        _index.Apply([Row("a", 0, sequence: 0), Row("b", 0)]);
        IActorRef starter = Start();

        starter.Tell(new TaskUnborn(TaskId.Parse("a-a1b2c")));
        starter.Tell(new TaskUnborn(TaskId.Parse("b-a1b2c")));

        AwaitCondition(() => _withdrawn.Count > 0, TimeSpan.FromSeconds(5));
        _withdrawn.ShouldBe([TaskId.Parse("a-a1b2c")]);
    }

    private IActorRef Start() =>
        Sys.ActorOf(
            Props.Create(() =>
                new TaskStarter(_host, _index, () => _view, () => _region.Ref, WithdrawAsync, TimeSpan.FromSeconds(1), NullLogger.Instance)
            )
        );

    private Task WithdrawAsync(TaskId task)
    {
        _withdrawn.Add(task);
        return Task.CompletedTask;
    }

    private string Woken() => _region.ExpectMsg<WakeTask>(TimeSpan.FromSeconds(10)).Task.Value.Split('-')[0];

    private static ClusterView View(long coordinator, bool lost = true)
    {
        ClusterMember[] members =
        [
            Member(1),
            Member(2),
            lost ? Member(3) with { Status = MemberStatus.Down, State = MemberState.Down } : Member(3),
        ];
        return new ClusterView(1, 1, [.. members.Select(m => m with { IsCoordinator = m.Incarnation == coordinator })]);
    }

    private static ClusterMember Member(long life) =>
        new(life, new NodeAddress("127.0.0.1", (int)(7400 + life)), $"node{life}", [], 4, MemberStatus.Up, false, 1, "0")
        {
            State = MemberState.Up,
        };

    private static TaskRow Row(string name, long owner, int priority = 0, long sequence = 2, TaskStatus status = TaskStatus.Running) =>
        new(
            new TaskState
            {
                Task = TaskId.Parse($"{name}-a1b2c"),
                Spec = TaskFixture.Spec with { Name = name, Priority = priority },
                Status = status,
            }.Summarize(3),
            sequence,
            1,
            owner,
            default,
            default,
            1
        );
}
