using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Cluster;

public sealed class JournalLossRuleTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly MemberKey Other = new("akka.tcp://c@10.0.0.2:8400", 2);
    private static readonly MemberKey Third = new("akka.tcp://c@10.0.0.3:8400", 3);

    private readonly JournalLossRule _rule = new(Limit, TimeSpan.Zero);
    private TimeSpan _now;

    [Fact]
    public void Decide_WhileTheJournalIsRead_IsReachedWhateverOthersSay() =>
        Pass(60, read: true, others: [true]).ShouldAllBe(s => s == JournalStanding.Reached);

    [Fact]
    public void Decide_JournalAwayForAll_NeverGivesUp() =>
        Pass(3600, read: false, others: [false, false]).Distinct().ShouldBe([JournalStanding.Reached, JournalStanding.Missed]);

    [Fact]
    public void Decide_NobodyAnswers_NeverGivesUp() => Pass(3600, read: false, others: []).ShouldNotContain(JournalStanding.GivesUp);

    [Fact]
    public void Decide_OthersReachIt_GivesUpOnceTheyHaveForTheLimit()
    {
        Pass(12, read: false, others: [true, false]).ShouldNotContain(JournalStanding.GivesUp);

        Pass(2, read: false, others: [true, false])[^1].ShouldBe(JournalStanding.GivesUp);
    }

    [Fact]
    public void Decide_JournalComesBackForOthersFirst_WaitsForTheWholeLimit()
    {
        Pass(600, read: false, others: [false, false]);

        Pass(9, read: false, others: [true, true]).ShouldNotContain(JournalStanding.GivesUp);
        Pass(1, read: true, others: [true, true])[^1].ShouldBe(JournalStanding.Reached);
    }

    [Fact]
    public void Decide_OthersLoseItToo_CountsAnew()
    {
        Pass(12, read: false, others: [true]);

        Pass(1, read: false, others: [false])[^1].ShouldBe(JournalStanding.Missed);
        Pass(9, read: false, others: [true]).ShouldNotContain(JournalStanding.GivesUp);
    }

    [Fact]
    public void Decide_OthersFallSilent_CountsAnew()
    {
        Pass(12, read: false, others: [true]);

        Pass(5, read: false, others: [])[^1].ShouldBe(JournalStanding.Missed);
    }

    /// <summary>
    /// Whatever is read and said: who gives up has read nothing for as long as the limit, and in all that time somebody has said that he
    /// has.
    /// </summary>
    [Fact]
    public void Decide_AnyHistory_GivesUpOnlyAfterALimitOfEvidence() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
                seed =>
                {
#pragma warning disable CA5394 // A schedule, no secret.
                    Random random = new(seed);
                    JournalLossRule rule = new(Limit, TimeSpan.Zero);
                    TimeSpan read = TimeSpan.Zero;
                    List<TimeSpan> said = [];
                    (int reads, int yes) = (random.Next(40), random.Next(100));
                    for (TimeSpan now = TimeSpan.Zero; now < TimeSpan.FromSeconds(60); now += TimeSpan.FromSeconds(0.5))
                    {
                        if (random.Next(100) < reads)
                        {
                            rule.OnRead(read = now);
                        }

                        bool reaches = random.Next(100) < yes;
                        rule.OnAnswer(random.Next(2) == 0 ? Other : Third, reaches, now);
                        said.AddRange(reaches ? [now] : []);
#pragma warning restore CA5394
                        if (rule.Decide(now) == JournalStanding.GivesUp)
                        {
                            (now - read).ShouldBeGreaterThanOrEqualTo(Limit, $"seed {seed}");
                            for (TimeSpan at = now - Limit; at <= now; at += TimeSpan.FromSeconds(0.5))
                            {
                                said.ShouldContain(s => s <= at && s >= at - JournalLossRule.Fresh, $"seed {seed}: nobody had it at {at}");
                            }
                        }
                    }
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    /// <summary>Lets seconds pass, with a look, a reading and answers every half second.</summary>
    private List<JournalStanding> Pass(int seconds, bool read, bool[] others)
    {
        List<JournalStanding> seen = [];
        for (int i = 0; i < 2 * seconds; i++)
        {
            _now += TimeSpan.FromSeconds(0.5);
            if (read)
            {
                _rule.OnRead(_now);
            }

            for (int other = 0; other < others.Length; other++)
            {
                _rule.OnAnswer(other == 0 ? Other : Third, others[other], _now);
            }

            seen.Add(_rule.Decide(_now));
        }

        return seen;
    }
}
