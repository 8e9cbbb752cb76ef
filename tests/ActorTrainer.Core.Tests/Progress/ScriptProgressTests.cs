using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Progress;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Progress;

public sealed class ScriptProgressTests
{
    private readonly ScriptProgress _progress = new(null);
    private TimeSpan _now;

    [Fact]
    public void Add_StepsWithTotal_SaysShareAndRemainingTime()
    {
        Feed(Steps(10, 30, 10, "step {0}/100 loss 0.5"));

        _progress.Current.ShouldNotBeNull();
        _progress.Current.Step.ShouldBe(30);
        _progress.Current.Share().ShouldBe(0.3);
        _progress.Current.Guessed.ShouldBeTrue();
        _progress.Remaining.ShouldBeNull("three readings are too few");

        Feed("step 40/100 loss 0.4");

        _progress.Remaining.ShouldBe(TimeSpan.FromSeconds(6));
        _progress.Current.Metrics["loss"].ShouldBe(0.4);
    }

    [Fact]
    public void Add_StepsThatBeginAnew_AreThoseOfAnEpochAndPromiseNothing()
    {
        Feed(Steps(10, 100, 10, "100%|x| {0}/100").Select(Bar));
        _progress.Current!.Share().ShouldBe(1);

        Feed(Bar("1/100"), Bar("30/100"));

        _progress.Current!.Step.ShouldBe(30);
        _progress.Current.OfEpoch.ShouldBeTrue();
        _progress.Current.Share().ShouldBeNull();
        _progress.Remaining.ShouldBeNull();
    }

    [Fact]
    public void Add_BarBesideEpochsInWords_IsThatOfAnEpochFromTheStart()
    {
        Feed("Epoch 1/10", Bar("40/100"));

        _progress.Current!.OfEpoch.ShouldBeTrue();
        _progress.Current.TotalEpochs.ShouldBe(10);
    }

    [Fact]
    public void Add_StepsThatGoOnOverEpochs_AreThoseOfTheWhole()
    {
        Feed("epoch 1 step 40/100 loss 1");
        _progress.Current!.OfEpoch.ShouldBeTrue("it may begin anew with the next epoch");

        Feed("epoch 2 step 60/100 loss 1", "epoch 3 step 90/100 loss 1");

        _progress.Current!.Share().ShouldBe(0.9);
    }

    [Fact]
    public void Add_BarInsideABar_IsNotTakenForTheOuterOne()
    {
        Feed(Bar("500/1000"), Bar("0/50"), Bar("50/50"));
        _progress.Current!.TotalSteps.ShouldBe(1000);

        Feed(Bar("501/1000"));

        _progress.Current!.Share().ShouldBe(0.501);
    }

    [Fact]
    public void Add_TwoLoopsThatNothingTellsApart_SayNoStepAnyMore()
    {
        Feed(Bar("100/100"), Bar("10/20"), Bar("20/20"), Bar("10/100"), "loss: 0.5");

        _progress.Current!.Step.ShouldBeNull();
        _progress.Current.Metrics["loss"].ShouldBe(0.5);
    }

    [Fact]
    public void Add_SeveralRanks_FollowsTheFirst()
    {
        Feed("[rank1]: step 7/100 loss 0.7", "[rank0]: step 5/100 loss 0.5", "[rank1]: step 8/100 loss 0.8");

        _progress.Current!.Step.ShouldBe(5);
        _progress.Current.Metrics["loss"].ShouldBe(0.5);
    }

    [Fact]
    public void Add_RanksWithoutNames_DoNotGoBack()
    {
        Feed("step 50/100 loss 0.7", "step 49/100 loss 0.6", "step 51/100 loss 0.5");

        _progress.Current!.Share().ShouldBe(0.51);
    }

    [Fact]
    public void Add_CounterAlone_CountsOnceItHasGrown()
    {
        Feed("step 10/100", "step 20/100");
        _progress.Current.ShouldBeNull();

        Feed("step 30/100");

        _progress.Current!.Share().ShouldBe(0.3);
    }

    [Theory]
    [InlineData("{0}/200")]
    [InlineData("{0} / 200 loss 0.333")]
    public void Add_CounterWithoutAName_CountsOnceItHasGrown(string line)
    {
        Feed(Steps(20, 40, 20, line));
        _progress.Current.ShouldBeNull();

        Feed(Steps(60, 80, 20, line));

        _progress.Current!.Share().ShouldBe(0.4);
    }

    [Theory]
    [InlineData("batch {0}/200")]
    [InlineData("[{0}/200]")]
    public void Add_BatchesAlone_CountOnceTheyHaveGrownAndAreThoseOfAnEpoch(string line)
    {
        Feed(Steps(20, 40, 20, line));
        _progress.Current.ShouldBeNull();

        Feed(Steps(60, 80, 20, line));

        _progress.Current!.Step.ShouldBe(80);
        _progress.Current.Share().ShouldBeNull();
    }

    [Fact]
    public void Add_AnotherCounterWithoutAName_IsNotBelievedAtOnce()
    {
        Feed(Steps(20, 80, 20, "{0}/200"));

        Feed("7/12", "3/4");

        _progress.Current!.Share().ShouldBe(0.4);
    }

    [Fact]
    public void Add_StepBesideACounterWithoutAName_IsBelieved()
    {
        Feed(Steps(20, 80, 20, "{0}/200"));

        Feed("step 5/100 loss 0.7");

        _progress.Current!.Share().ShouldBe(0.05);
    }

    [Fact]
    public void Add_RatiosWithoutAName_AreNone()
    {
        Feed("1/3", "2/3", "3/3", "1/2", "3/4", "9/12", "11/16", "passed 3/4 tests");

        _progress.Current.ShouldBeNull();
    }

    [Fact]
    public void Add_StepsOfAnInstallation_AreNone()
    {
        Feed("Step 1/3", "Step 2/3", "Step 3/3");

        _progress.Current.ShouldBeNull();
    }

    [Fact]
    public void Add_EvaluationBetween_IsNotTheScriptsStep()
    {
        Feed("step 50/100 loss 0.7", "eval: 100%|██| 7/7 [00:01<00:00, 5.0it/s]", "Test: [ 5/7]\tLoss 9.9 (9.9)");

        _progress.Current!.Step.ShouldBe(50);
        _progress.Current.Metrics["loss"].ShouldBe(0.7);
    }

    [Fact]
    public void Add_Pattern_ReplacesGuessingAndIsNotMarked()
    {
        ScriptProgress progress = new(new ProgressSpec { Patterns = [@"^it=(?<step>\d+) of (?<total>\d+) L=(?<metric_loss>\S+)"] });

        progress.Add(["step 7/9 loss 3", "it=12 of 40 L=nan"], default).ShouldBeTrue();

        progress.Current!.Step.ShouldBe(12);
        progress.Current.Share().ShouldBe(0.3);
        progress.Current.Metrics["loss"].ShouldBe(double.NaN);
        progress.Current.Guessed.ShouldBeFalse();
    }

    [Fact]
    public void Add_Off_SaysNothing()
    {
        ScriptProgress progress = new(new ProgressSpec { Off = true });

        progress.Add(["step 7/9 loss 3"], default).ShouldBeFalse();
        progress.Current.ShouldBeNull();
    }

    [Theory]
    [InlineData(@"step (?<step>\d+", "is no regular expression, wrong at character")]
    [InlineData(
        @"(?<setp>\d+)",
        "has a group 'setp' (did you mean step?), which means nothing; use step, total, epoch, epochs and metric_NAME"
    )]
    [InlineData(@"step (\d+)", "names nothing to read")]
    [InlineData(@"(?<total>\d+)", "names nothing to read")]
    [InlineData(@"(?<step>\d+)(?=/)", "looks around")]
    [InlineData("", "must have 1 to 1000 characters")]
    public void Problem_PatternThatIsWrong_SaysWhat(string pattern, string problem) =>
        TaskSpecRules.PatternProblem(pattern).ShouldNotBeNull().ShouldStartWith(problem);

    [Theory]
    [InlineData(@"(?<step>\d+)/(?<total>\d+)")]
    [InlineData(@"loss (?<metric_loss>\S+)")]
    [InlineData(@"ep (?<epoch>[\d.]+) of (?<epochs>\d+)")]
    public void Problem_PatternThatIsRight_IsNone(string pattern) => TaskSpecRules.PatternProblem(pattern).ShouldBeNull();

    [Fact]
    public void Remaining_PaceThatChangesMuch_IsNotKnown()
    {
        StepRate rate = new();
        foreach ((long step, int second) in (ReadOnlySpan<(long, int)>)[(1, 1), (2, 2), (3, 3), (103, 4), (203, 5), (303, 6)])
        {
            rate.Add(step, TimeSpan.FromSeconds(second));
        }

        rate.Remaining(1000).ShouldBeNull();
        rate.Remaining(null).ShouldBeNull();
    }

    [Fact]
    public void Remaining_AfterAStepBack_BeginsAnew()
    {
        StepRate rate = new();
        for (int second = 1; second <= 10; second++)
        {
            rate.Add(second * 10, TimeSpan.FromSeconds(second));
        }

        rate.Remaining(200).ShouldBe(TimeSpan.FromSeconds(10));
        rate.Add(5, TimeSpan.FromSeconds(11));

        rate.Remaining(200).ShouldBeNull();
    }

    private static string Bar(string counts)
    {
        string[] numbers = counts.Split(' ')[^1].Split('/');
        int percent = 100 * int.Parse(numbers[0]) / int.Parse(numbers[1]);
        return $"{percent}%|██    | {numbers[0]}/{numbers[1]} [00:12<00:20, 30.1it/s]";
    }

    private static IEnumerable<string> Steps(int from, int to, int by, string format)
    {
        for (int step = from; step <= to; step += by)
        {
            yield return string.Format(System.Globalization.CultureInfo.InvariantCulture, format, step);
        }
    }

    private void Feed(IEnumerable<string> lines) => Feed([.. lines]);

    /// <summary>One line a second.</summary>
    private void Feed(params string[] lines)
    {
        foreach (string line in lines)
        {
            _now += TimeSpan.FromSeconds(1);
            _progress.Add([line], _now);
        }
    }
}
