using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Workers that fall silent.</summary>
public sealed class TaskEntityStallTests
{
    [Theory]
    [InlineData(WorkerPhase.Initializing, 120)]
    [InlineData(WorkerPhase.Restoring, 600)]
    [InlineData(WorkerPhase.Training, 601)]
    [InlineData(WorkerPhase.Evaluating, 1800)]
    [InlineData(WorkerPhase.Saving, 602)]
    public void Tick_NoProgressForThePhasesLimit_StopsAndRetries(WorkerPhase phase, int limit)
    {
        StallSpec stall = new() { Training = TimeSpan.FromSeconds(601), Saving = TimeSpan.FromSeconds(602) };
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Stall = stall }));
        driver.Tick(60).Persist.ShouldHaveSingleItem().ShouldBe(new TaskProgressed(TaskProgress.None, Settled: true));
        driver.Happens(new WorkerPhaseChanged(driver.Run, phase));
        driver.Tick(limit).IsNothing.ShouldBeTrue();
        driver.Tick(0.1).AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.FromSeconds(8))]);
        driver.Tick(100).IsNothing.ShouldBeTrue();
        TaskRetryScheduled retry = driver.Exit(null, 9).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskRetryScheduled>();
        retry.Failure.Class.ShouldBe("stalled");
        retry.Failure.Detail.ShouldContain($"{limit} s while {phase.ToString().ToLowerInvariant()}");
    }

    [Fact]
    public void Tick_WorkerNeverSaysHello_IsForcedToEnd()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.Grant();
        driver.Tick(120).IsNothing.ShouldBeTrue();
        driver.Tick(1).AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.Zero)]);
        driver.Exit(null, 9).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskRetryScheduled>().Failure.Class.ShouldBe("stalled");
    }

    [Fact]
    public void Tick_CommandOrNoLimit_MayBeSilentForEver()
    {
        EntityDriver command = EntityDriver.Training(EntityDriver.Command());
        command.Tick(60);
        command.Tick(1e7).IsNothing.ShouldBeTrue();
        EntityDriver trainer = EntityDriver.Training(
            EntityDriver.Trainer(s => s with { Stall = new StallSpec { Restoring = TimeSpan.Zero } })
        );
        trainer.Tick(60);
        trainer.Tick(1e7).IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void Tick_CommandWithALimit_IsStoppedWhenItWasNotAtWorkForThatLong()
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Command() with
            {
                Stall = new StallSpec { Command = TimeSpan.FromSeconds(90) },
            }
        );
        driver.Tick(60);
        driver.Happens(new WorkerActive(driver.Run)).IsNothing.ShouldBeTrue();
        driver.Tick(89).IsNothing.ShouldBeTrue();
        _ = driver.Stage(1);
        driver.Tick(90).IsNothing.ShouldBeTrue();
        driver.Tick(0.1).AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.FromSeconds(8))]);
    }

    [Fact]
    public void Exit_OfACommandThatStalled_IsAFailureThatSaysWhatWasMissing()
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Command() with
            {
                Stall = new StallSpec { Training = TimeSpan.FromSeconds(5) },
            }
        );
        driver.Tick(6).AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<StopWorker>();
        Failure failure = driver.Exit(null, 15).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskRetryScheduled>().Failure;
        (failure.Class, failure.Detail).ShouldBe(("stalled", "no output, no checkpoint and no processor time for 5 s"));
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(600, null, null)] // a journal that has the default of trainers
    [InlineData(0, null, null)]
    [InlineData(300, null, 300)]
    [InlineData(null, 600, 600)]
    [InlineData(300, 0, null)]
    public void OfCommand_LimitsThatAreSet_AreThoseThatCount(int? training, int? command, int? limit)
    {
        StallSpec stall = new() { Command = Seconds(command) };
        stall = Seconds(training) is { } set ? stall with { Training = set } : stall;
        stall.OfCommand().ShouldBe(Seconds(limit));
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is { } number ? TimeSpan.FromSeconds(number) : null;
}
