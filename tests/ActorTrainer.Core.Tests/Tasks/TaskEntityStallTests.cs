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
}
