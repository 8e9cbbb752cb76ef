using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>A run that begins while workers of a lost node may live: its port may be taken, its files locked.</summary>
public sealed class TaskEntityFormerTests
{
    private static readonly TaskSpec Once = EntityDriver.Command() with { Retry = new RetrySpec { MaxAttempts = 1 } };

    [Fact]
    public void Exit_WhileWorkersOfTheLostNodeMayLive_CostsNoAttemptHoweverOften()
    {
        EntityDriver driver = EntityDriver.Training(Once).Elsewhere(term: 2);
        int tries = 0;
        for (TimeSpan from = driver.Now; driver.Now - from < TimeSpan.FromSeconds(11); tries++)
        {
            driver.Start();
            driver.Exit(1, lines: "OSError: [Errno 98] Address already in use");
            driver.State.Detail.ShouldContain("workers of the lost node may have lived; not counted");
            driver.Now += driver.State.RetryDelay!.Value;
        }

        tries.ShouldBeGreaterThan(5);
        driver.State.Failures.ShouldBe(0);
        driver.Log.OfType<TaskRetryScheduled>().ShouldAllBe(e => e.FormerMayLive && e.Failures == 0);
    }

    [Fact]
    public void Exit_AfterThoseWorkersAreGone_Counts()
    {
        EntityDriver driver = EntityDriver.Training(Once).Elsewhere(term: 2);
        driver.Now += TimeSpan.FromSeconds(13);

        driver.Start();
        driver.Exit(1);

        driver.State.Failures.ShouldBe(1);
        driver.Now += driver.State.RetryDelay!.Value;
        driver.Start();
        driver.Exit(1);
        driver.State.Status.ShouldBe(TaskStatus.Failed);
    }

    [Fact]
    public void Exit_LongAfterTheStart_Counts()
    {
        EntityDriver driver = EntityDriver.Training(Once).Elsewhere(term: 2);
        driver.Start();
        driver.Now += TimeSpan.FromMinutes(2);

        driver.Exit(1);

        driver.State.Failures.ShouldBe(1);
    }

    [Fact]
    public void Exit_OfARunThatSaved_Counts()
    {
        EntityDriver driver = EntityDriver.Training(Once).Elsewhere(term: 2);
        driver.Start();
        driver.Save(7);

        driver.Exit(1);

        driver.State.Failures.ShouldBe(1);
    }

    [Fact]
    public void Exit_ThatARuleStops_FailsTheTask()
    {
        TaskSpec spec = Once with
        {
            Retry = new RetrySpec { Rules = [new FailureRule("bad-data", FailureAction.Stop, ExitCode: 3, null, null)] },
        };
        EntityDriver driver = EntityDriver.Training(spec).Elsewhere(term: 2);
        driver.Start();

        driver.Exit(3);

        driver.State.Status.ShouldBe(TaskStatus.Failed);
    }
}
