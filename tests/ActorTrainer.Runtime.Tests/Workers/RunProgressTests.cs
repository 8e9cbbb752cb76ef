using ActorTrainer.Runtime.Workers.Output;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Which step belongs to a save.</summary>
public sealed class RunProgressTests : IDisposable
{
    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly RunProgress _progress;

    public RunProgressTests()
    {
        _progress = new RunProgress(WorkerHarness.Key(), null, _folder, _time);
        Print(10);
        LookAfter(RunProgress.Every);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>As most scripts do: they print, and save in the same moment.</summary>
    [Fact]
    public void AtSave_PrintedJustBefore_IsItsStep()
    {
        _time.Advance(TimeSpan.FromMilliseconds(300));
        Print(20);
        DateTimeOffset saved = _time.GetUtcNow();
        LookAfter(TimeSpan.FromMilliseconds(5));

        StepAt(saved).ShouldBe(20);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(400)]
    public void AtSave_PrintedAfterIt_IsNotItsStep(int seenAfter)
    {
        Print(20);
        LookAfter(RunProgress.Every);
        DateTimeOffset saved = _time.GetUtcNow();
        LookAfter(TimeSpan.FromMilliseconds(seenAfter));
        LookAfter(TimeSpan.FromMilliseconds(100));
        Print(30);
        LookAfter(TimeSpan.FromMilliseconds(100));

        StepAt(saved).ShouldBe(20);
    }

    /// <summary>What a script has printed goes through a pipe on the way to its file, and the file that it saved does not.</summary>
    [Fact]
    public void AtSave_OutputIsALittleLate_IsItsStepAllTheSame()
    {
        DateTimeOffset saved = _time.GetUtcNow();
        LookAfter(TimeSpan.FromMilliseconds(1));
        Print(20);
        LookAfter(TimeSpan.FromMilliseconds(4));

        StepAt(saved).ShouldBe(20);
    }

    [Fact]
    public void AtSave_NothingIsPrintedAnyMore_IsTheLastStep()
    {
        LookAfter(TimeSpan.FromMinutes(1));

        StepAt(_time.GetUtcNow()).ShouldBe(10);
    }

    [Fact]
    public void AtSave_ThousandsOfSteps_IsStillThatOfTheTime()
    {
        DateTimeOffset saved = default;
        for (int step = 11; step < 3000; step++)
        {
            Print(step);
            saved = step == 2900 ? _time.GetUtcNow() : saved;
            LookAfter(RunProgress.Every);
        }

        StepAt(saved)!.Value.ShouldBeInRange(2850, 2900);
    }

    private long? StepAt(DateTimeOffset saved) => _progress.AtSave(saved)?.Step;

    private void LookAfter(TimeSpan time)
    {
        _time.Advance(time);
        _ = _progress.Look(ending: false);
    }

    private void Print(int step) => File.AppendAllText(Path.Combine(_folder, "output.log"), $"step {step}/10000 loss 0.5\n");
}
