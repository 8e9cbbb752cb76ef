using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class CheckpointPolicyTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(CheckpointStrategy.Epoch)]
    [InlineData(CheckpointStrategy.Interval)]
    [InlineData(CheckpointStrategy.Event)]
    [InlineData(CheckpointStrategy.Hybrid)]
    [InlineData(CheckpointStrategy.Adaptive)]
    public void Decide_PendingEvent_SavesUnderEveryStrategy(CheckpointStrategy strategy)
    {
        foreach (string reason in (string[])["request", "drain", "migration", "pause", "preemption", "failure", "final", "files"])
        {
            CheckpointPolicy
                .Decide(Spec(strategy), new CheckpointInputs { Pending = reason })
                .ShouldBe(new CheckpointDecision(true, reason, null));
        }
    }

    [Theory]
    [InlineData(CheckpointStrategy.Epoch, true)]
    [InlineData(CheckpointStrategy.Interval, false)]
    [InlineData(CheckpointStrategy.Event, false)]
    [InlineData(CheckpointStrategy.Hybrid, true)]
    public void Decide_EpochDue_SavesWhereTheStrategyTakesEpochs(CheckpointStrategy strategy, bool save)
    {
        CheckpointDecision decision = CheckpointPolicy.Decide(Spec(strategy), new CheckpointInputs { EndOfEpoch = true, WholeEpochs = 5 });
        decision.Save.ShouldBe(save);
        decision.Reason.ShouldBe(save ? "epoch" : "");
    }

    [Theory]
    [InlineData(4, 0, false)]
    [InlineData(5, 0, true)]
    [InlineData(6, 5, false)]
    [InlineData(10, 5, true)]
    [InlineData(10, 9, true)]
    [InlineData(5, 5, false)]
    [InlineData(12, 9, true)]
    [InlineData(7, 3, true)]
    public void Decide_EndOfEpoch_SavesWhenAMultipleWasCrossedSinceTheLastSave(long whole, long lastSave, bool save) =>
        CheckpointPolicy
            .Decide(
                Spec(CheckpointStrategy.Epoch),
                new CheckpointInputs
                {
                    EndOfEpoch = true,
                    WholeEpochs = whole,
                    LastSaveWholeEpochs = lastSave,
                }
            )
            .Save.ShouldBe(save);

    [Fact]
    public void Decide_MiddleOfEpoch_IsNoEndOfEpoch() =>
        CheckpointPolicy.Decide(Spec(CheckpointStrategy.Hybrid), new CheckpointInputs { WholeEpochs = 5 }).Save.ShouldBeFalse();

    [Theory]
    [InlineData(CheckpointStrategy.Epoch, 31, false)]
    [InlineData(CheckpointStrategy.Interval, 31, true)]
    [InlineData(CheckpointStrategy.Event, 31, false)]
    [InlineData(CheckpointStrategy.Hybrid, 31, true)]
    [InlineData(CheckpointStrategy.Hybrid, 30, true)]
    [InlineData(CheckpointStrategy.Hybrid, 29, false)]
    public void Decide_TimePassed_SavesWhereTheStrategyTakesIntervals(CheckpointStrategy strategy, int minutes, bool save)
    {
        CheckpointDecision decision = CheckpointPolicy.Decide(
            Spec(strategy),
            new CheckpointInputs
            {
                Now = (100 + minutes) * Minute,
                LastSaveAt = 100 * Minute,
                Pace = 60 * Minute,
            }
        );
        decision.Save.ShouldBe(save);
        decision.Reason.ShouldBe(save ? "interval" : "");
    }

    [Theory]
    [InlineData(CheckpointStrategy.Epoch, false)]
    [InlineData(CheckpointStrategy.Interval, false)]
    [InlineData(CheckpointStrategy.Event, true)]
    [InlineData(CheckpointStrategy.Hybrid, true)]
    public void Decide_BetterMetric_SavesWhereTheStrategyTakesEventsAndIsRememberedAlways(CheckpointStrategy strategy, bool save)
    {
        CheckpointDecision decision = CheckpointPolicy.Decide(
            Spec(strategy) with
            {
                BestMetric = "loss",
            },
            new CheckpointInputs { Evaluation = Metrics("loss", 0.4), Best = 0.5 }
        );
        decision.ShouldBe(new CheckpointDecision(save, save ? "best" : "", 0.4));
    }

    [Theory]
    [InlineData(0.4, 0.5, false, true)]
    [InlineData(0.5, 0.5, false, false)]
    [InlineData(0.6, 0.5, false, false)]
    [InlineData(0.6, 0.5, true, true)]
    [InlineData(0.4, 0.5, true, false)]
    [InlineData(double.NaN, 0.5, false, false)]
    [InlineData(double.NaN, null, false, false)]
    [InlineData(7.0, null, false, true)]
    [InlineData(7.0, double.NaN, true, true)]
    public void Decide_Metric_IsComparedInItsDirection(double value, double? best, bool largest, bool save)
    {
        CheckpointDecision decision = CheckpointPolicy.Decide(
            Spec(CheckpointStrategy.Event) with
            {
                BestMetric = "m",
                BestIsLargest = largest,
            },
            new CheckpointInputs { Evaluation = Metrics("m", value), Best = best }
        );
        decision.Save.ShouldBe(save);
        decision.Best.ShouldBe(save ? value : best);
    }

    [Fact]
    public void Decide_OtherMetricOrNoneConfigured_IsNoBest()
    {
        CheckpointInputs inputs = new() { Evaluation = Metrics("accuracy", 0.9), Best = 0.5 };
        CheckpointPolicy
            .Decide(Spec(CheckpointStrategy.Event) with { BestMetric = "loss" }, inputs)
            .ShouldBe(new CheckpointDecision(false, "", 0.5));
        CheckpointPolicy.Decide(Spec(CheckpointStrategy.Event), inputs).ShouldBe(new CheckpointDecision(false, "", 0.5));
    }

    [Fact]
    public void Decide_SeveralHold_PendingThenBestThenEpochThenInterval()
    {
        CheckpointSpec spec = Spec(CheckpointStrategy.Hybrid) with { BestMetric = "loss" };
        CheckpointInputs all = new()
        {
            Pending = "drain",
            EndOfEpoch = true,
            WholeEpochs = 5,
            Evaluation = Metrics("loss", 0.1),
            Now = 90 * Minute,
        };
        CheckpointPolicy.Decide(spec, all).Reason.ShouldBe("drain");
        CheckpointPolicy.Decide(spec, all).Best.ShouldBe(0.1);
        CheckpointPolicy.Decide(spec, all with { Pending = null }).Reason.ShouldBe("best");
        CheckpointPolicy.Decide(spec, all with { Pending = null, Evaluation = null }).Reason.ShouldBe("epoch");
        CheckpointPolicy.Decide(spec, all with { Pending = null, Evaluation = null, EndOfEpoch = false }).Reason.ShouldBe("interval");
    }

    [Fact]
    public void Decide_NothingDue_AllocatesNothing()
    {
        CheckpointSpec spec = Spec(CheckpointStrategy.Hybrid) with { BestMetric = "loss" };
        CheckpointInputs inputs = new()
        {
            Evaluation = Metrics("loss", 0.6),
            Best = 0.5,
            EndOfEpoch = true,
            WholeEpochs = 1,
            Now = Minute,
            Pace = 2 * Minute,
        };
        bool saved = CheckpointPolicy.Decide(spec, inputs).Save;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            saved |= CheckpointPolicy.Decide(spec, inputs).Save;
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        saved.ShouldBeFalse();
    }

    [Theory]
    [InlineData(CheckpointStrategy.Adaptive, 60, false, true)]
    [InlineData(CheckpointStrategy.Adaptive, 59, false, false)]
    [InlineData(CheckpointStrategy.Adaptive, 60, true, false)]
    [InlineData(CheckpointStrategy.Adaptive, 6000, true, false)]
    [InlineData(CheckpointStrategy.Hybrid, 60, false, true)]
    [InlineData(CheckpointStrategy.Hybrid, 60, true, false)]
    [InlineData(CheckpointStrategy.Interval, 60, false, false)]
    [InlineData(CheckpointStrategy.Epoch, 60, false, false)]
    [InlineData(CheckpointStrategy.Event, 60, false, false)]
    public void Decide_PaceDue_SavesWhereTheStrategyIsPacedAndNoSaveIsUnderWay(
        CheckpointStrategy strategy,
        int seconds,
        bool underWay,
        bool save
    )
    {
        CheckpointDecision decision = CheckpointPolicy.Decide(
            Spec(strategy),
            new CheckpointInputs
            {
                Now = TimeSpan.FromSeconds(100 + seconds),
                LastSaveAt = TimeSpan.FromSeconds(100),
                Pace = TimeSpan.FromSeconds(60),
                SaveUnderWay = underWay,
            }
        );
        (decision.Save, decision.Reason).ShouldBe((save, save ? "adaptive" : ""));
    }

    [Theory]
    [InlineData(1800, 10, true)]
    [InlineData(1800, 9.9, false)]
    [InlineData(2, 2, true)]
    [InlineData(2, 1.9, false)]
    public void Decide_NothingMeasured_SavesSoon(double interval, double seconds, bool save) =>
        CheckpointPolicy
            .Decide(
                Spec(CheckpointStrategy.Adaptive) with
                {
                    Interval = TimeSpan.FromSeconds(interval),
                },
                new CheckpointInputs { Now = TimeSpan.FromSeconds(seconds) }
            )
            .Save.ShouldBe(save);

    [Fact]
    public void Decide_IntervalOfHybridIsDueDuringASave_IsTakenAllTheSame()
    {
        CheckpointInputs inputs = new()
        {
            Now = TimeSpan.FromSeconds(5),
            Pace = TimeSpan.FromSeconds(60),
            SaveUnderWay = true,
        };
        CheckpointPolicy
            .Decide(Spec(CheckpointStrategy.Hybrid) with { Interval = TimeSpan.FromSeconds(5) }, inputs)
            .ShouldBe(new CheckpointDecision(true, "interval", null));
    }

    private static CheckpointSpec Spec(CheckpointStrategy strategy) => new() { Strategy = strategy };

    private static Dictionary<string, double> Metrics(string name, double value) => new() { [name] = value };
}
