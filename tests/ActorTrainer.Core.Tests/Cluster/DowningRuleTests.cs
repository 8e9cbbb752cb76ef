using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Tests.Cluster;

public sealed class DowningRuleTests
{
    private static readonly DowningTimes Times = new();
    private readonly DowningRule _rule = new(Times);

    [Fact]
    public void Decide_EverybodyReachable_DoesNothing() => At(0, "abc", "abc").ShouldBe(new DowningStep.Wait(null));

    [Fact]
    public void Decide_ProofOfDeath_DownsAtOnce() => Victims<DowningStep.Down>(At(0, "abc", "abc", dead: "c")).ShouldBe("c");

    [Fact]
    public void Decide_ProofOfDeathOfTheOnlyOther_DownsAtOnce() => Victims<DowningStep.Down>(At(0, "ab", "a", dead: "b")).ShouldBe("b");

    [Fact]
    public void Decide_ProofAfterItStoodStillItself_WaitsForTheRows()
    {
        At(0, "abc", "abc", dead: "bc", distrust: true).ShouldBeOfType<DowningStep.Wait>();
        At(9, "abc", "abc", dead: "bc", distrust: true).ShouldBeOfType<DowningStep.Wait>();
        Victims<DowningStep.Down>(At(9.1, "abc", "abc", dead: "bc")).ShouldBe("bc");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decide_MajorityAgrees_DownsAfterItHasSettledWithOrWithoutAJournal(bool journal)
    {
        double? read = journal ? 0 : null;
        At(0, "abc", "ab", agree: "b", read: read).ShouldBe(new DowningStep.Wait(Times.Settle));
        At(0.2, "abc", "ab", agree: "b", read: read).ShouldBe(new DowningStep.Wait(TimeSpan.FromMilliseconds(100)));

        Victims<DowningStep.Down>(At(0.3, "abc", "ab", agree: "b", read: read)).ShouldBe("c");
    }

    [Fact]
    public void Decide_AnotherFallsSilentMeanwhile_SettlesAnew()
    {
        At(0, "abcde", "abcd", agree: "bcd");
        At(0.25, "abcde", "abc", agree: "bc").ShouldBe(new DowningStep.Wait(Times.Settle));

        Victims<DowningStep.Down>(At(0.55, "abcde", "abc", agree: "bc")).ShouldBe("de");
    }

    [Fact]
    public void Decide_SomebodyStillHearsThem_AsksTheJournalInTheEnd()
    {
        // a and c do not hear each other, b hears both: a and c would down each other.
        At(0, "abc", "ab");
        At(1, "abc", "ab").ShouldBe(new DowningStep.Wait(Times.Again));

        Victims<DowningStep.Take>(At(3, "abc", "ab")).ShouldBe("c");
    }

    [Theory]
    [InlineData("ab", "a", "b", "")]
    [InlineData("abcd", "ab", "cd", "b")]
    public void Decide_Half_AsksTheJournalWhenItHasSettled(string all, string reached, string victims, string agree)
    {
        At(0, all, reached, agree: agree);

        Victims<DowningStep.Take>(At(0.3, all, reached, agree: agree)).ShouldBe(victims);
    }

    [Fact]
    public void Decide_MinorityWhileTheOthersBeat_EndsItself()
    {
        At(10, "abc", "a", read: 9);
        At(14, "abc", "a", read: 14, moved: 13.5).ShouldBeOfType<DowningStep.Wait>();

        At(14.5, "abc", "a", read: 14.4, moved: 13.9).ShouldBeOfType<DowningStep.EndLife>();
    }

    [Fact]
    public void Decide_MinorityWhileTheOthersStandStill_TakesThem()
    {
        At(10, "abc", "a", read: 9, moved: 8);

        Victims<DowningStep.Take>(At(14.5, "abc", "a", read: 14.4, moved: 8.5)).ShouldBe("bc");
    }

    [Fact]
    public void Decide_MinorityWithoutAJournal_NeitherTakesNorEnds()
    {
        for (double now = 10; now < 100; now += 0.5)
        {
            At(now, "abc", "a", read: 9, moved: 9).ShouldBeOfType<DowningStep.Wait>();
        }
    }

    [Fact]
    public void Decide_TwoOfThreeStoppedApart_TheSurvivorGoesOn()
    {
        // c falls silent, a and b down it; 5 s later b falls silent: a is half of two.
        At(2.2, "abc", "ab", agree: "b");
        Victims<DowningStep.Down>(At(2.5, "abc", "ab", agree: "b")).ShouldBe("c");
        At(2.6, "ab", "ab").ShouldBe(new DowningStep.Wait(null));
        At(7.2, "ab", "a");

        Victims<DowningStep.Take>(At(7.5, "ab", "a", read: 7)).ShouldBe("b");
    }

    [Fact]
    public void Decide_OneThatIsNotUpYet_LeavesItToTheOthers()
    {
        At(0, "abc", "ab", agree: "b", joining: "a");

        At(60, "abc", "ab", agree: "b", joining: "a").ShouldBeOfType<DowningStep.Wait>();
    }

    [Fact]
    public void Decide_SilentOneThatIsNotUpYet_IsDownedToo()
    {
        At(0, "abc", "ab", agree: "b", joining: "c");

        Victims<DowningStep.Down>(At(0.3, "abc", "ab", agree: "b", joining: "c")).ShouldBe("c");
    }

    [Fact]
    public void Decide_JoiningOnesOnTheOtherSide_MayBeUpThere()
    {
        // Cut while c makes d and e members: they count there, so a and b must not take themselves for a majority of three.
        At(0, "abcde", "ab", agree: "b", joining: "de");

        At(0.3, "abcde", "ab", agree: "b", joining: "de").ShouldBeOfType<DowningStep.Wait>();
    }

    [Fact]
    public void Decide_ManyMembers_AFewDecide()
    {
        string all = "abcdefghij";
        string reached = "abcdefghi";
        foreach (char self in reached)
        {
            DowningRule rule = new(Times);
            DowningMember[] members = Members(all, reached, "", "", "abcdefghi", 0);
            rule.Decide(new DowningInput(Key(self), members, null, false), TimeSpan.Zero);

            (rule.Decide(new DowningInput(Key(self), members, null, false), TimeSpan.FromSeconds(1)) is DowningStep.Down).ShouldBe(
                self <= 'c'
            );
        }
    }

    /// <summary>Decides as member a.</summary>
    private DowningStep At(
        double now,
        string all,
        string reached,
        string dead = "",
        string joining = "",
        string agree = "",
        double? read = null,
        double moved = 0,
        bool distrust = false
    ) =>
        _rule.Decide(
            new DowningInput(
                Key('a'),
                Members(all, reached, dead, joining, agree, moved),
                read is { } at ? TimeSpan.FromSeconds(at) : null,
                distrust
            ),
            TimeSpan.FromSeconds(now)
        );

    private static DowningMember[] Members(string all, string reached, string dead, string joining, string agree, double moved) =>
        [
            .. all.Select(c => new DowningMember(Key(c), !joining.Contains(c), reached.Contains(c), dead.Contains(c))
            {
                Agrees = agree.Contains(c),
                BeatMovedAt = TimeSpan.FromSeconds(moved),
            }),
        ];

    private static MemberKey Key(char name) => new(name.ToString(), 1);

    private static string Victims<T>(DowningStep step)
        where T : DowningStep
    {
        step.ShouldBeOfType<T>();
        IReadOnlyList<MemberKey> victims = step is DowningStep.Down down ? down.Victims : ((DowningStep.Take)step).Victims;
        return string.Concat(victims.Select(v => v.Address).Order());
    }
}
