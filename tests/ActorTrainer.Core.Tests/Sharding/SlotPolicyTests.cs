using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Sharding;

public sealed class SlotPolicyTests
{
    private const int Restores = 100;
    private static readonly SlotUsage Idle = new(0, 0, AnyRuns: false, AloneRuns: false);

    [Fact]
    public void Grant_MoreWaitThanFit_HighestPriorityGoesFirstThenById() =>
        Grant([Waits("c"), Waits("b"), Waits("a"), Waits("z", priority: 5)], Idle, slots: 3).ShouldBe(["z", "a", "b"]);

    [Fact]
    public void Grant_LargerThanTheNode_IsPassedOver() =>
        Grant([Waits("huge", priority: 9, slots: 5), Waits("small")], Idle, slots: 4).ShouldBe(["small"]);

    [Fact]
    public void Grant_DoesNotFitNow_NobodyBehindItIsServed() =>
        Grant([Waits("a"), Waits("large", priority: 5, slots: 4), Waits("top", priority: 9)], Idle, slots: 4).ShouldBe(["top"]);

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    public void Grant_OthersRestore_IsLimitedByRestores(int restoring, int granted) =>
        Grant([Waits("a"), Waits("b"), Waits("c")], Idle with { Restoring = restoring }, slots: 8, restores: 2).Count.ShouldBe(granted);

    [Fact]
    public void Grant_SomethingRuns_AloneWaitsAndStopsTheGiving()
    {
        SlotUsage busy = Idle with { Used = 1, AnyRuns = true };

        Grant([Waits("a"), Waits("alone", priority: 5) with { Alone = true }], busy, slots: 4).ShouldBeEmpty();
        Grant([Waits("a", priority: 5), Waits("alone") with { Alone = true }], busy, slots: 4).ShouldBe(["a"]);
    }

    [Fact]
    public void Grant_NothingRuns_AloneGetsTheNodeForItself()
    {
        Grant([Waits("a"), Waits("alone", priority: 5) with { Alone = true }], Idle, slots: 4).ShouldBe(["alone"]);
        Grant([Waits("a", priority: 9)], Idle with { Used = 1, AnyRuns = true, AloneRuns = true }, slots: 4).ShouldBeEmpty();
    }

    [Fact]
    public void Grant_AnyInput_NeverGivesMoreThanIsFree() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), HoldsFor).QuickCheckThrowOnFailure();

    private static bool HoldsFor(int seed)
    {
        DeterministicRandom random = new((ulong)seed);
        int slots = 1 + random.Next(8);
        int restores = 1 + random.Next(4);
        SlotUsage usage = new(random.Next(slots + 3), random.Next(restores + 2), random.Next(2) == 0, random.Next(6) == 0);
        SlotCandidate[] waiting =
        [
            .. Enumerable
                .Range(0, random.Next(12))
                .Select(i => Waits($"t{i}", random.Next(3), 1 + random.Next(slots + 1)) with { Alone = random.Next(5) == 0 }),
        ];
        IReadOnlyList<TaskId> granted = SlotPolicy.Grant(waiting, usage, slots, restores);
        SlotCandidate[] given = [.. granted.Select(id => waiting.Single(w => w.Task == id))];
        return given.Sum(g => g.Slots) <= Math.Max(0, slots - usage.Used)
            && given.Length <= Math.Max(0, restores - usage.Restoring)
            && (!given.Any(g => g.Alone) || (given[^1].Alone && given.Length == 1 && !usage.AnyRuns));
    }

    private static SlotCandidate Waits(string task, int priority = 0, int slots = 1) =>
        new(TaskId.Parse(task), priority, slots, Alone: false);

    private static IReadOnlyList<string> Grant(SlotCandidate[] waiting, SlotUsage usage, int slots, int restores = Restores) =>
        [.. SlotPolicy.Grant(waiting, usage, slots, restores).Select(t => t.Value)];
}
