using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>What a command's output says is shown and kept; nothing is decided by what is guessed of it.</summary>
public sealed class TaskEntityPrintedTests
{
    [Fact]
    public void On_Printed_IsShownAndNotJournaled()
    {
        EntityDriver driver = Printed(4_800);

        driver.Log.ShouldNotContain(e => e is TaskProgressed);
        driver.Entity.Progress.Output!.Step.ShouldBe(4_800);
        driver.Entity.Progress.Remaining.ShouldBe(TimeSpan.FromMinutes(6));
        driver.Entity.Progress.Step.ShouldBe(0);
    }

    [Fact]
    public void On_ExitAfterPrinted_KeepsWhatWasSaidLast()
    {
        EntityDriver driver = Printed(4_800);
        driver.Save(1);

        driver.Exit(0);

        driver.State.Status.ShouldBe(TaskStatus.Completed);
        driver.State.Progress.Step.ShouldBe(1);
        driver.State.Progress.Output!.Step.ShouldBe(4_800);
        driver.State.Progress.Remaining.ShouldBeNull();
    }

    /// <summary>The last files of a command are taken when it has ended.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void On_SaveStoredAfterTheExit_CountsInWhatIsSaidLast(int exitCode)
    {
        EntityDriver driver = Printed(4_800);
        driver.Save(1);
        SaveCheckpoint last = driver.Stage(2).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        driver.Exit(exitCode);

        driver.Stored(last);

        driver
            .Log.OfType<TaskCompleted>()
            .Select(e => e.Progress)
            .Concat(driver.Log.OfType<TaskProgressed>().Select(e => e.Progress))
            .Last()!
            .Step.ShouldBe(2);
        driver.State.Progress.Step.ShouldBe(2);
    }

    [Fact]
    public void On_FailureAfterPrinted_CountsInSavesAndNotInTheScriptsSteps()
    {
        EntityDriver driver = Printed(4_800);
        driver.Save(1);

        driver.Exit(1);
        driver.State.FailedAtStep.ShouldBe(1);
        driver.State.Progress.Output!.Step.ShouldBe(4_800);
        driver.Now += TimeSpan.FromMinutes(1);
        driver.Start();
        driver.State.Progress.Output.ShouldBeNull("the next run has said nothing yet");
        driver.Save(2);

        driver.State.Failures.ShouldBe(0, "the task has got past the place of its failure");
    }

    [Fact]
    public void On_FailedStartThatPrintedGuessedSteps_StillCountsAgainstItsCheckpoint()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        string checkpoint = driver.Save(1);
        driver.Exit(1);
        driver.Now += TimeSpan.FromMinutes(1);
        driver.Start();
        Print(driver, 5);

        driver.Exit(1).Persist.OfType<TaskRetryScheduled>().Single().FailedStartFrom.ShouldBe(checkpoint);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tell_PauseOrCancel_KeepsWhatWasSaidLast(bool pause)
    {
        EntityDriver driver = Printed(4_800);

        driver.Tell(pause ? new PauseTask() : new CancelTask());
        driver.Exit(null, signal: 15);

        driver.State.Progress.Output!.Step.ShouldBe(4_800);
    }

    [Fact]
    public void On_FailureThatHolds_KeepsItsLastLines()
    {
        FailureRule rule = new("bad-input", FailureAction.Hold, 3, null, null);
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command() with { Retry = new RetrySpec { Rules = [rule] } });

        driver.Exit(3, lines: "No such dataset");

        driver.Log.OfType<TaskHeld>().Single().Failure!.LastLines.ShouldBe(["No such dataset"]);
    }

    private static EntityDriver Printed(long step)
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        Print(driver, step);
        return driver;
    }

    private static void Print(EntityDriver driver, long step) =>
        driver
            .Happens(
                new WorkerPrinted(
                    driver.Run,
                    new OutputProgress
                    {
                        Step = step,
                        TotalSteps = 10_000,
                        Guessed = true,
                    },
                    TimeSpan.FromMinutes(6)
                )
            )
            .IsNothing.ShouldBeTrue();
}
