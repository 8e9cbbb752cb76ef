using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class SlotActorTests : TestKit
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    private readonly IActorRef _slots;
    private readonly TestProbe _woken;
    private long _now;

    public SlotActorTests()
        : base(TestSystems.InMemory())
    {
        NodeModel model = new()
        {
            Slots = 2,
            Sharding = new ShardingModel { MaxConcurrentRestores = 8 },
        };
        _woken = CreateTestProbe();
        _slots = Sys.ActorOf(
            Props.Create(() =>
                new SlotActor(
                    model,
                    1,
                    task => _woken.Ref.Tell(task, ActorRefs.NoSender),
                    () => TimeSpan.FromMilliseconds(Interlocked.Read(ref _now))
                )
            )
        );
    }

    [Fact]
    public void Slots_Free_GoToTheHighestPriorityFirst()
    {
        TestProbe low = Task("low", 0);
        TestProbe high = Task("high", 9);
        TestProbe middle = Task("middle", 5);
        Recovering("low", "high", "middle");
        Say("low", low, priority: 0);
        Say("middle", middle, priority: 5);
        Say("high", high, priority: 9);

        high.ExpectMsg<SlotsGranted>();
        middle.ExpectMsg<SlotsGranted>();
        low.ExpectNoMsg(Quiet);
    }

    [Fact]
    public void Slots_WhileATaskReplays_WaitForItAMoment()
    {
        TestProbe low = Task("low", 0);
        Recovering("late");
        Say("low", low);

        low.ExpectNoMsg(Quiet);
        Interlocked.Exchange(ref _now, 600);

        low.ExpectMsg<SlotsGranted>();
    }

    [Fact]
    public void Grant_OfAnActorWhoseRunWasParked_IsNotTheNextActorsAsWell()
    {
        TestProbe parked = Task("task", 0);
        Say("task", parked);
        parked.ExpectMsg<SlotsGranted>();

        TestProbe next = CreateTestProbe();
        Say("task", next, grant: 0);

        next.ExpectMsg<SlotsGranted>();
    }

    [Fact]
    public void Grant_NotHeardOfYet_CountsAsTaken()
    {
        TestProbe first = Task("first", 0);
        TestProbe second = Task("second", 0);
        Say("first", first, slots: 2);
        long grant = first.ExpectMsg<SlotsGranted>().Number;

        // An older word that was under way when the grant was given.
        Say("first", first, slots: 2);
        Say("second", second, slots: 1);

        second.ExpectNoMsg(Quiet);
        Say("first", first, slots: 2, wants: false, grant: grant);
        second.ExpectMsg<SlotsGranted>();
    }

    [Fact]
    public void Slots_OfATaskThatIsGone_AreFree()
    {
        TestProbe first = Task("first", 0);
        TestProbe second = Task("second", 0);
        Say("first", first, slots: 2, wants: false, takes: true);
        Say("second", second);
        second.ExpectNoMsg(Quiet);

        _slots.Tell(new TaskGone(Id("first"), second.Ref));
        second.ExpectNoMsg(Quiet);
        _slots.Tell(new TaskGone(Id("first"), first.Ref));

        second.ExpectMsg<SlotsGranted>();
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Slots_OfANodeThatGoes_AreGivenToNobody()
    {
        TestProbe task = Task("task", 0);
        _slots.Tell(CloseSlots.Instance);
        Say("task", task);

        task.ExpectNoMsg(Quiet);
    }

    [Fact]
    public void Resting_WhenThereAreSlots_AreWokenByPriorityAndAsManyAsFit()
    {
        TestProbe here = Task("here", 5);
        Say("here", here, priority: 5);
        here.ExpectMsg<SlotsGranted>();

        Rest(Row("low"), Row("high", priority: 9), Row("elsewhere", priority: 9, owner: 2), Row("huge", priority: 9, slots: 3));
        _woken.ExpectNoMsg(Quiet);
        Pass(RestingTasks.TakeOverPatience);

        _woken.ExpectMsg<TaskId>().ShouldBe(Id("high"));
        _woken.ExpectNoMsg(Quiet);
    }

    [Fact]
    public void Resting_WokenAndNotThereYet_HasItsSlotsKept()
    {
        TestProbe low = Task("low", 0);
        Rest(Row("high", priority: 9, slots: 2));
        Pass(RestingTasks.TakeOverPatience);
        _woken.ExpectMsg<TaskId>();

        Say("low", low);
        low.ExpectNoMsg(Quiet);
        Pass(RestingTasks.ComesWithin);

        low.ExpectMsg<SlotsGranted>();
    }

    [Fact]
    public void Resting_WokenAndThere_IsGivenItsSlots()
    {
        TestProbe task = Task("task", 0);
        Rest(Row("task"));
        Pass(RestingTasks.TakeOverPatience);
        _woken.ExpectMsg<TaskId>();

        Recovering("task");
        Say("task", task);

        task.ExpectMsg<SlotsGranted>();
    }

    [Fact]
    public void Resting_OfThisNodesOwn_IsWokenAtOnceWhenSlotsAreFree()
    {
        TestProbe busy = Task("busy", 0);
        TestProbe task = Task("task", 0);
        Say("busy", busy, slots: 2, wants: false, takes: true);
        Say("task", task);
        Rest(Row("task"));
        _slots.Tell(new TaskGone(Id("task"), task.Ref));
        _woken.ExpectNoMsg(Quiet);

        _slots.Tell(new TaskGone(Id("busy"), busy.Ref));

        _woken.ExpectMsg<TaskId>().ShouldBe(Id("task"));
    }

    [Fact]
    public void Resting_PausedOrGivenToAnotherLife_IsNotWoken()
    {
        TaskRow paused = Row("paused");
        Rest(Row("paused"), Row("moved"));
        Rest(paused with { Summary = paused.Summary with { Status = Core.Tasks.TaskStatus.Paused } }, Row("moved", owner: 2));

        Pass(RestingTasks.TakeOverPatience);

        _woken.ExpectNoMsg(Quiet);
    }

    /// <summary>Shows rows, and waits until they are known: time goes on only then.</summary>
    private void Rest(params TaskRow[] rows)
    {
        _slots.Tell(new RowsChanged(rows));
        _slots.Tell(new Identify(null), TestActor);
        ExpectMsg<ActorIdentity>();
    }

    /// <summary>Lets time go on; a task that is nothing to anybody makes the actor look.</summary>
    private void Pass(TimeSpan time)
    {
        Interlocked.Add(ref _now, (long)time.TotalMilliseconds);
        Rest(Row("nothing", owner: 3));
    }

    private static TaskRow Row(string name, int priority = 0, int slots = 1, long owner = 1) =>
        new(
            new TaskState { Task = Id(name), Spec = TaskFixture.Spec with { Name = name, Priority = priority, Slots = slots } }.Summarize(
                3
            ),
            2,
            1,
            owner,
            default,
            default,
            1
        );

    private TestProbe Task(string name, int priority) => CreateTestProbe($"{name}-{priority}");

    private void Recovering(params string[] names)
    {
        foreach (string name in names)
        {
            _slots.Tell(new TaskRecovering(Id(name)));
        }
    }

    private void Say(
        string name,
        TestProbe entity,
        int priority = 0,
        int slots = 1,
        bool wants = true,
        bool takes = false,
        long grant = 0
    ) => _slots.Tell(new SlotStatus(Id(name), entity.Ref, priority, slots, false, wants, takes, false, grant));

    private static TaskId Id(string name) => TaskId.Parse(name + "-aaaaa");
}
