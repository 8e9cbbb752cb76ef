using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class SlotActorTests : TestKit
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    private readonly IActorRef _slots;
    private long _now;

    public SlotActorTests()
        : base(TestSystems.InMemory())
    {
        NodeModel model = new() { Slots = 2, Sharding = new ShardingModel { MaxConcurrentRestores = 8 } };
        _slots = Sys.ActorOf(Props.Create(() => new SlotActor(model, () => TimeSpan.FromMilliseconds(Interlocked.Read(ref _now)))));
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

    private TestProbe Task(string name, int priority) => CreateTestProbe($"{name}-{priority}");

    private void Recovering(params string[] names)
    {
        foreach (string name in names)
        {
            _slots.Tell(new TaskRecovering(Id(name)));
        }
    }

    private void Say(string name, TestProbe entity, int priority = 0, int slots = 1, bool wants = true, bool takes = false, long grant = 0) =>
        _slots.Tell(new SlotStatus(Id(name), entity.Ref, priority, slots, false, wants, takes, false, grant));

    private static TaskId Id(string name) => TaskId.Parse(name + "-aaaaa");
}
