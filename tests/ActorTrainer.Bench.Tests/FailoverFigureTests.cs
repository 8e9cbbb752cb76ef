using ActorTrainer.Bench.Common;
using ActorTrainer.Bench.Failover;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Bench.Tests;

public sealed class FailoverFigureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(50, 3)]
    [InlineData(99, 5)]
    [InlineData(1, 1)]
    [InlineData(100, 5)]
    public void Percentile_OfFiveValues_IsTheNearestRank(int percent, double expected)
    {
        Distribution values = new();
        foreach (double value in new double[] { 5, 1, 4, 2, 3 })
        {
            values.Add(value);
        }

        values.Percentile(percent).ShouldBe(expected);
        values.Max.ShouldBe(5);
        values.Last(2).ShouldBe([2, 3]);
    }

    [Fact]
    public void Percentile_OfNothing_IsZero() => new Distribution().Percentile(50).ShouldBe(0);

    [Fact]
    public void Max_OfValuesBelowZero_IsTheLargest()
    {
        Distribution values = new();
        values.Add(-7);
        values.Add(-3);

        values.Max.ShouldBe(-3);
    }

    [Fact]
    public void StepLog_TwoRuns_TellsTheOldFromTheNew()
    {
        Write("a", "process 10\ninitialized 20\nstep 30 1\nstep 50 2\nstep 70 3\n");
        Write("b", "process 5\ninitialized 90\nloaded 95\nstep 100 3\nstep 120 4\nst");
        StepLog log = new(_folder.Root);
        log.Read();

        log.Runs.Count.ShouldBe(2);
        log.Highest(until: 60).ShouldBe(2);
        log.LastOfBefore(60).ShouldBe(new StepLine(3, 70));
        TrainerRun next = log.NextRun(after: 60).ShouldNotBeNull();
        (next.Process, next.Initialized, next.Loaded, next.First).ShouldBe((5, 90, 95, new StepLine(3, 100)));
        log.FirstNew(highest: 3, begunAfter: 60).ShouldBe(new StepLine(4, 120));
        log.FirstNew(highest: 4, begunAfter: 60).ShouldBeNull();
        log.NewestLeads.ShouldBeTrue();
    }

    [Fact]
    public void StepLog_LineThatGrows_IsReadOnceItIsWhole()
    {
        StepLog log = new(_folder.Root);
        Write("a", "process 1\ninitialized 2\nstep 3 1");
        log.Read();
        log.Runs.ShouldHaveSingleItem().Steps.ShouldBeEmpty();

        Write("a", "7\nstep 40 18\n");
        log.Read();

        log.Runs.ShouldHaveSingleItem().Steps.ShouldBe([new StepLine(17, 3), new StepLine(18, 40)]);
    }

    [Fact]
    public void StepLog_OldRunStillAhead_DoesNotLeadWithTheNewest()
    {
        Write("a", "step 30 1\nstep 500 9\n");
        Write("b", "step 100 1\nstep 120 2\n");
        StepLog log = new(_folder.Root);
        log.Read();

        log.NewestLeads.ShouldBeFalse();
    }

    [Theory]
    [InlineData("step 30")]
    [InlineData("loaded")]
    [InlineData("step thirty 1")]
    public void StepLog_LineOfSomethingElse_IsRefused(string line) => Should.Throw<FormatException>(() => new TrainerRun().Add(line));

    [Fact]
    public void Parts_OfMarksInOrder_AddUpToTheWhole()
    {
        RestartParts parts = RestartParts.Of(
            fault: 100,
            unreachable: 150,
            down: 180,
            activated: 300,
            started: 490,
            Run("process 340", "initialized 500", "loaded 520", "step 545 8")
        );

        parts.ShouldBe(new RestartParts(Detect: 50, Down: 30, PlaceRecover: 120, Grant: 40, Worker: 160, Restore: 20, Step: 25));
        parts.Values.Sum().ShouldBe(445);
    }

    [Fact]
    public void Parts_OfAProcessThatWasThereBefore_TellTheGrantByTheEvent()
    {
        RestartParts parts = RestartParts.Of(
            fault: 100,
            unreachable: 150,
            down: 180,
            activated: 300,
            started: 310,
            Run("process 20", "initialized 330", "loaded 350", "step 375 8")
        );

        parts.ShouldBe(new RestartParts(Detect: 50, Down: 30, PlaceRecover: 120, Grant: 10, Worker: 20, Restore: 20, Step: 25));
    }

    /// <summary>The API was asked too late, the worker was ready before its start was on record, and it began from nothing.</summary>
    [Fact]
    public void Parts_OfMarksSeenLate_StillAddUpToTheWhole()
    {
        RestartParts parts = RestartParts.Of(
            fault: 100,
            unreachable: 150,
            down: 900,
            activated: 300,
            started: 340,
            Run("process 270", "initialized 280", "step 545 1")
        );

        parts.ShouldBe(new RestartParts(Detect: 50, Down: 395, PlaceRecover: 0, Grant: 0, Worker: 0, Restore: 0, Step: 0));
    }

    [Fact]
    public void GapParts_OfAWarmAndOfAColdMove_AddUpToTheGap()
    {
        GapParts warm = GapParts.Of(
            100,
            saved: 160,
            stopped: 190,
            activated: 250,
            started: 260,
            Run("process 20", "loaded 300", "step 325 9")
        );
        GapParts cold = GapParts.Of(
            100,
            saved: 160,
            stopped: 190,
            activated: 250,
            started: 260,
            Run("process 270", "loaded 400", "step 425 9")
        );

        warm.ShouldBe(new GapParts(Save: 60, Stop: 30, HandOver: 60, Grant: 10, Restore: 40, Step: 25));
        cold.ShouldBe(new GapParts(Save: 60, Stop: 30, HandOver: 60, Grant: 20, Restore: 130, Step: 25));
        warm.ToString().ShouldBe("save 60, stop 30, hand_over 60, grant 10, restore 40, step 25");
    }

    private static TrainerRun Run(params string[] lines)
    {
        TrainerRun run = new();
        Array.ForEach(lines, run.Add);
        return run;
    }

    private void Write(string file, string text) => File.AppendAllText(Path.Combine(_folder.Root, file), text);
}
