using ActorTrainer.Core.Cluster;

namespace ActorTrainer.Core.Tests.Cluster;

public sealed class DeathRuleTests
{
    [Theory]
    [InlineData(true, true, 0, true, true)]
    [InlineData(true, false, 0, false, false)]
    [InlineData(true, false, 4.9, false, false)]
    [InlineData(true, false, 5, true, true)]
    [InlineData(null, true, 0, false, false)]
    [InlineData(null, true, 60, false, true)]
    [InlineData(false, true, 9.9, false, false)]
    [InlineData(false, true, 10, false, true)]
    public void Evidence_LockServerAndBeat_SayWhetherALifeIsDead(bool? free, bool sameServer, double still, bool proven, bool past)
    {
        LifeEvidence evidence = new(free, sameServer, TimeSpan.FromSeconds(still));

        DeathRule.IsProven(evidence).ShouldBe(proven);
        DeathRule.IsPast(evidence).ShouldBe(past);
    }

    [Fact]
    public void Beats_ThatMoveAndStandStill_AreToldApart()
    {
        BeatLedger ledger = new();
        ledger.Observe([(1, 5), (2, 7)], TimeSpan.FromSeconds(1));
        ledger.Observe([(1, 5), (2, 8)], TimeSpan.FromSeconds(3));

        ledger.MovedAt(1).ShouldBe(TimeSpan.FromSeconds(1));
        ledger.MovedAt(2).ShouldBe(TimeSpan.FromSeconds(3));
        ledger.MovedAt(3).ShouldBeNull();
        ledger.Observe([(2, 8)], TimeSpan.FromSeconds(4));
        ledger.MovedAt(1).ShouldBeNull("it is not on record any more");
    }
}
