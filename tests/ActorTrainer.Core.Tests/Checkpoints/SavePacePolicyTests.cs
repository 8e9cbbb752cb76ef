using ActorTrainer.Core.Checkpoints;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class SavePacePolicyTests
{
    private static readonly TimeSpan HalfAnHour = TimeSpan.FromMinutes(30);

    private static readonly Gen<SavePaceInputs> Inputs =
        from cost in Gen.Choose(0, 600_000)
        from commit in Gen.Choose(0, 600_000)
        from losses in Gen.Choose(0, 200)
        from trained in Gen.Choose(0, 100_000)
        from overhead in Gen.Choose(1, 5000)
        from longest in Gen.Choose(1, 7_200_000)
        from present in Gen.Choose(-1, 7_200_000)
        select new SavePaceInputs
        {
            Cost = TimeSpan.FromMilliseconds(cost / 10.0),
            Commit = TimeSpan.FromMilliseconds(commit / 10.0),
            Losses = losses,
            Trained = TimeSpan.FromMinutes(trained),
            MaxOverhead = overhead / 10_000.0,
            Longest = TimeSpan.FromMilliseconds(longest),
            Present = present < 0 ? null : TimeSpan.FromMilliseconds(present),
        };

    [Fact]
    public void Decide_NothingBounds_IsTheIntervalOfYoung()
    {
        SavePaceDecision decision = SavePacePolicy.Decide(Of(cost: 0.02, commit: 0.3));
        decision.ShouldBe(new SavePaceDecision(Seconds(58.788), SavePaceReason.Balance, true));
        Math.Sqrt(2 * 0.02 * 86400).ShouldBe(decision.Interval.TotalSeconds, 0.001);
    }

    [Fact]
    public void Decide_LossesSeen_ShareTheTimeTrainedWithOneInADay()
    {
        SavePacePolicy.MeanTimeBetweenLosses(0, TimeSpan.Zero).ShouldBe(TimeSpan.FromDays(1));
        SavePacePolicy.MeanTimeBetweenLosses(0, TimeSpan.FromDays(9)).ShouldBe(TimeSpan.FromDays(10));
        SavePacePolicy.MeanTimeBetweenLosses(9, TimeSpan.FromDays(9)).ShouldBe(TimeSpan.FromDays(1));
        SavePacePolicy.MeanTimeBetweenLosses(99, TimeSpan.FromDays(1)).ShouldBe(TimeSpan.FromDays(0.02));
        SavePaceDecision decision = SavePacePolicy.Decide(Of(cost: 0.02) with { Losses = 99, Trained = TimeSpan.FromDays(1) });
        decision.Interval.TotalSeconds.ShouldBe(Math.Sqrt(2 * 0.02 * 86400 * 0.02), 0.001);
    }

    [Theory]
    [InlineData(0, 0, 1, SavePaceReason.Shortest)]
    [InlineData(0, 40, 50, SavePaceReason.Commit)]
    [InlineData(25, 1, 3125, SavePaceReason.Overhead)]
    [InlineData(19, 1, 2375, SavePaceReason.Overhead)]
    [InlineData(18.9, 1, 2362.5, SavePaceReason.Overhead)]
    [InlineData(0.02, 90, 112.5, SavePaceReason.Commit)]
    public void Decide_ABoundHolds_IsAQuarterAboveIt(double cost, double commit, double interval, SavePaceReason reason)
    {
        SavePaceDecision decision = SavePacePolicy.Decide(Of(cost, commit));
        (decision.Interval, decision.Reason).ShouldBe((Seconds(interval), reason));
    }

    [Fact]
    public void Decide_TheBestIsLongerThanTheTaskAllows_IsTheLongest()
    {
        SavePaceDecision decision = SavePacePolicy.Decide(Of(cost: 0.02, commit: 0.3) with { Longest = Seconds(3) });
        (decision.Interval, decision.Reason).ShouldBe((Seconds(3), SavePaceReason.Longest));

        SavePaceDecision costly = SavePacePolicy.Decide(Of(cost: 0.04, commit: 0.3) with { Longest = Seconds(3) });
        (costly.Interval, costly.Reason).ShouldBe((Seconds(5), SavePaceReason.Overhead), "the bound goes before the longest interval");
    }

    [Theory]
    [InlineData(60, false)]
    [InlineData(88.1, false)]
    [InlineData(88.2, true)]
    [InlineData(39.3, false)]
    [InlineData(39.1, true)]
    public void Decide_PresentPace_IsKeptWhileItIsNear(double present, bool changes) =>
        SavePacePolicy.Decide(Of(cost: 0.02, commit: 0.3) with { Present = Seconds(present) }).Changes.ShouldBe(changes);

    [Theory]
    [InlineData(4.01, false)]
    [InlineData(3.99, true)]
    public void Decide_PresentPaceBreaksTheBound_ChangesAtOnceHoweverNearItIs(double present, bool changes) =>
        SavePacePolicy
            .Decide(Of(cost: 0.04, commit: 0.3) with { Longest = Seconds(3), Present = Seconds(present) })
            .Changes.ShouldBe(changes);

    [Fact]
    public void Decide_Anything_KeepsTheOverheadAndTheCommitWithinTheirBounds() =>
        Check(
            Inputs,
            inputs =>
            {
                SavePaceDecision decision = SavePacePolicy.Decide(inputs);
                TimeSpan inEffect = decision.Changes ? decision.Interval : inputs.Present!.Value;
                return inputs.Cost.TotalSeconds <= inputs.MaxOverhead * inEffect.TotalSeconds * (1 + 1e-9)
                    && decision.Interval >= inputs.Commit
                    && decision.Interval >= SavePacePolicy.Shortest;
            }
        );

    [Fact]
    public void Decide_Anything_IsNoLongerThanItsReasonSays() =>
        Check(
            Inputs,
            inputs =>
            {
                SavePaceDecision decision = SavePacePolicy.Decide(inputs);
                return decision.Reason is SavePaceReason.Balance or SavePaceReason.Longest
                    ? decision.Interval <= inputs.Longest + TimeSpan.FromMilliseconds(1)
                    : decision.Interval >= inputs.Longest
                        || decision.Interval.TotalSeconds
                            >= Math.Sqrt(2 * inputs.Cost.TotalSeconds * (86400 + inputs.Trained.TotalSeconds) / (1 + inputs.Losses));
            }
        );

    [Fact]
    public void Decide_ACostlierSave_IsMadeNoMoreOften() =>
        Check(
            from inputs in Inputs
            from more in Gen.Choose(0, 100_000)
            select (inputs, inputs with { Cost = inputs.Cost + TimeSpan.FromMilliseconds(more) }),
            pair => SavePacePolicy.Decide(pair.inputs).Interval <= SavePacePolicy.Decide(pair.Item2).Interval
        );

    [Fact]
    public void Decide_MoreLosses_SavesNoLessOften() =>
        Check(
            from inputs in Inputs
            from more in Gen.Choose(0, 100)
            select (inputs, inputs with { Losses = inputs.Losses + more }),
            pair => SavePacePolicy.Decide(pair.inputs).Interval >= SavePacePolicy.Decide(pair.Item2).Interval
        );

    [Fact]
    public void Decide_LongerWithoutALoss_SavesNoMoreOften() =>
        Check(
            from inputs in Inputs
            from more in Gen.Choose(0, 100_000)
            select (inputs, inputs with { Trained = inputs.Trained + TimeSpan.FromMinutes(more) }),
            pair => SavePacePolicy.Decide(pair.inputs).Interval <= SavePacePolicy.Decide(pair.Item2).Interval
        );

    [Fact]
    public void Decide_TheOutcomeOfADecision_IsKept() =>
        Check(
            Inputs,
            inputs =>
            {
                SavePaceDecision decision = SavePacePolicy.Decide(inputs);
                return !SavePacePolicy.Decide(inputs with { Present = decision.Interval }).Changes;
            }
        );

    private static void Check<T>(Gen<T> gen, Func<T, bool> holds) =>
        Prop.ForAll(gen.ToArbitrary(), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static SavePaceInputs Of(double cost, double commit = 0) =>
        new()
        {
            Cost = Seconds(cost),
            Commit = Seconds(commit),
            MaxOverhead = SavePacePolicy.DefaultMaxOverhead,
            Longest = HalfAnHour,
        };

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
