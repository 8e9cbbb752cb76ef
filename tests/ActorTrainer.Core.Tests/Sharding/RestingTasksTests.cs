using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Tests.Sharding;

public sealed class RestingTasksTests
{
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    private readonly RestingTasks _resting = new(slots: 4);

    [Fact]
    public void First_OfMany_AreThoseThatGetSlotsFirst()
    {
        Put("c", "b", "a");
        _resting.Put(Task("high", priority: 5), Now);
        _resting.Put(Task("huge", priority: 9, slots: 5), Now);

        First(3).ShouldBe(["high", "a", "b"]);
    }

    [Fact]
    public void First_PriorityHasChanged_GoesByTheNewOne()
    {
        Put("a", "b");
        _resting.Put(Task("b", priority: 1), Now);
        _resting.Put(Task("a", slots: 9), Now);

        First(9).ShouldBe(["b"]);
        _resting.Count.ShouldBe(1);
    }

    [Fact]
    public void First_TakenOver_ComesAfterItsTimeOrOnceItWasAwake()
    {
        _resting.Put(Task("a"), Now + RestingTasks.TakeOverPatience);
        _resting.Put(Task("b"), Now + RestingTasks.TakeOverPatience);
        First(9).ShouldBeEmpty();

        _resting.Awake(Task("b").Task, Now);

        First(9).ShouldBe(["b"]);
        First(9, RestingTasks.TakeOverPatience).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void Wake_AgainAndAgain_IsDoneOnceAndThenOthersHaveTheirTurn()
    {
        Put("a");
        Wake(TimeSpan.Zero).ShouldBeTrue();
        Wake(TimeSpan.FromSeconds(1)).ShouldBeFalse();
        First(9, TimeSpan.FromSeconds(1)).ShouldBe(["a"], "its slots are kept");

        First(9, RestingTasks.ComesWithin).ShouldBeEmpty("it has not come");

        First(9, RestingTasks.AgainAfter).ShouldBe(["a"]);
        Wake(RestingTasks.AgainAfter).ShouldBeTrue();
    }

    [Fact]
    public void Wake_OfATaskThatHasCome_MayBeDoneAgainAtOnce()
    {
        Put("a");
        Wake(TimeSpan.Zero);

        _resting.Awake(Task("a").Task, Now);

        Wake(TimeSpan.Zero).ShouldBeTrue();
    }

    [Fact]
    public void Remove_ThenWake_DoesNothing()
    {
        Put("a");
        _resting.Remove(Task("a").Task);

        First(9).ShouldBeEmpty();
        Wake(TimeSpan.Zero).ShouldBeFalse();
    }

    private void Put(params string[] names)
    {
        foreach (string name in names)
        {
            _resting.Put(Task(name), Now);
        }
    }

    private bool Wake(TimeSpan after) => _resting.Wake(Task("a").Task, Now + after);

    private IEnumerable<string> First(int most, TimeSpan after = default) =>
        _resting.First(most, _ => false, Now + after).Select(t => t.Task.Value);

    private static SlotCandidate Task(string name, int priority = 0, int slots = 1) =>
        new(TaskId.Parse(name), priority, slots, Alone: false);
}
