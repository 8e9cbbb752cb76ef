using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Cluster;

public sealed class FoundingRuleTests
{
    private static readonly IReadOnlySet<long> Nobody = new HashSet<long>();

    [Fact]
    public void Decide_JournalWithoutACluster_Founds() =>
        Decide(View(self: 1, epoch: 0, founder: 0)).ShouldBeOfType<FoundingStep.Found>().Past.ShouldBeEmpty();

    [Fact]
    public void Decide_WonTheEpoch_JoinsItself() =>
        Decide(View(self: 1, selfEpoch: 1, epoch: 1, founder: 1)).ShouldBeOfType<FoundingStep.JoinSelf>();

    [Fact]
    public void Decide_FounderLivesAndIsNotUpYet_EntersThenAsksIt()
    {
        EpochLife founder = new(1, MemberStatus.Joining, IsPast: false);

        Decide(View(self: 2, epoch: 1, founder: 1, founder)).ShouldBe(new FoundingStep.Enter(1));
        Decide(View(self: 2, selfEpoch: 1, epoch: 1, founder: 1, founder)).ShouldBeOfType<FoundingStep.Join>().Lives.ShouldBe([1]);
    }

    [Fact]
    public void Decide_FounderDiedBeforeItWasUp_IsSuperseded()
    {
        FoundingView view = View(
            self: 2,
            selfEpoch: 1,
            epoch: 1,
            founder: 1,
            new(1, MemberStatus.Joining, true),
            new(3, MemberStatus.Joining, false)
        );

        Decide(view).ShouldBeOfType<FoundingStep.Join>().Lives.ShouldBe([3], "it may have been let in");
        Decide(view with { Waited = FoundingRule.JoinersPatience }).ShouldBeOfType<FoundingStep.Found>().Past.ShouldBe([1]);
    }

    [Fact]
    public void Decide_OneOfTheEpochMayStillLive_DoesNotFound() =>
        Decide(
                View(
                    self: 4,
                    selfEpoch: 5,
                    epoch: 5,
                    founder: 1,
                    new(1, MemberStatus.Up, true),
                    new(2, MemberStatus.Leaving, false),
                    new(3, MemberStatus.Up, true)
                )
            )
            .ShouldBeOfType<FoundingStep.Join>()
            .Lives.ShouldBe([2]);

    [Fact]
    public void Decide_AllOfTheEpochArePast_AnyFounds() =>
        Decide(View(self: 7, epoch: 5, founder: 1, new(1, MemberStatus.Up, true), new(2, MemberStatus.Up, true)))
            .ShouldBeOfType<FoundingStep.Found>()
            .Past.ShouldBe([1, 2]);

    [Fact]
    public void Decide_AnotherEpochThanItsOwn_Ends() =>
        Decide(View(self: 2, selfEpoch: 1, epoch: 2, founder: 3, new EpochLife(3, MemberStatus.Up, false)))
            .ShouldBeOfType<FoundingStep.End>();

    [Fact]
    public void Decide_DownOnRecord_Ends() =>
        Decide(View(self: 2, epoch: 0, founder: 0) with { SelfIsGone = true }).ShouldBeOfType<FoundingStep.End>();

    [Fact]
    public void Decide_ManyMembers_AsksSomeAndOthersTheNextTime()
    {
        EpochLife[] lives =
        [
            .. Enumerable.Range(1, 20).Select(i => new EpochLife(i, i == 1 ? MemberStatus.Leaving : MemberStatus.Up, false)),
        ];
        FoundingView view = View(self: 99, selfEpoch: 3, epoch: 3, founder: 1, lives);

        IReadOnlyList<long> first = Contacts(view, new HashSet<long> { 17 }, 0);
        IReadOnlyList<long> second = Contacts(view, new HashSet<long> { 17 }, 1);

        first.ShouldBe([17, 2, 3, 4, 5, 6, 7, 8]);
        second.Intersect(first).ShouldBeEmpty();
        Enumerable
            .Range(0, 20)
            .SelectMany(i => Contacts(view, Nobody, i))
            .Distinct()
            .Count()
            .ShouldBe(20, "everybody is asked at some time");
    }

    /// <summary>
    /// A journal, and lives that begin, look, act, are let in, are killed in any order; whatever is read is acted upon later. At no time
    /// are there two clusters on an epoch, and when the killing stops all living lives of the last epoch are in one cluster.
    /// </summary>
    [Fact]
    public void Schedules_AnyOrder_OneClusterForAnEpoch() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
                seed =>
                {
                    FoundingModel model = new(seed);
                    for (int i = 0; i < 60; i++)
                    {
                        model.Step(faults: true);
                    }

                    for (int i = 0; i < 200; i++)
                    {
                        model.Step(faults: false);
                    }

                    model.ShouldBeOneCluster();
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static FoundingStep Decide(FoundingView view) => FoundingRule.Decide(view, Nobody, 0);

    private static IReadOnlyList<long> Contacts(FoundingView view, IReadOnlySet<long> preferred, int attempt) =>
        FoundingRule.Decide(view, preferred, attempt).ShouldBeOfType<FoundingStep.Join>().Lives;

    private static FoundingView View(long self, long epoch, long founder, params EpochLife[] lives) => View(self, 0, epoch, founder, lives);

    private static FoundingView View(long self, long selfEpoch, long epoch, long founder, params EpochLife[] lives) =>
        new(self, selfEpoch, false, epoch, founder, lives);
}
