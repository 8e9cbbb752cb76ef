using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>What becomes of a checkpoint that was read back.</summary>
public sealed class TaskEntityVerifiedTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    [Fact]
    public void On_Whole_IsKnownToBeSo()
    {
        EntityDriver driver = EntityDriver.Training();
        string name = driver.Save(10);
        EntityStep step = Read(driver, name, null);
        (step.Persist.ShouldHaveSingleItem(), step.Reply).ShouldBe(
            (new TaskCheckpointVerified(name, At), new CommandAccepted(EntityDriver.Id))
        );
        driver.State.Checkpoints.Single().VerifiedAt.ShouldBe(At);
        driver.State.LastVerified!.Name.ShouldBe(name);
    }

    [Fact]
    public void On_Damaged_IsSharedAndRestoredNoMore()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string second = driver.Save(20);
        Read(driver, second, "a chunk").Persist.ShouldBe([new TaskCheckpointDamaged(second, "a chunk")]);
        Read(driver, second, "a chunk").Persist.ShouldBeEmpty("it is marked");
        driver.State.LastUsable!.Name.ShouldBe(first);
        SaveCheckpoint save = driver.Stage(30).AfterCommit.OfType<SaveCheckpoint>().Single();
        save.Listed.Select(c => c.Name).ShouldBe([first]);
    }

    [Fact]
    public void On_DamagedPackOfTwo_NeitherIsShared()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        SaveCheckpoint save = driver.Stage(20).AfterCommit.OfType<SaveCheckpoint>().Single();
        CheckpointRef second = EntityDriver.Ref(save.Name, 20);
        second = second with { Packs = [.. second.Packs, CheckpointNames.PackFile(first)] };
        driver.Happens(new CheckpointStored(save.Run, save.State.Id, second));
        Read(driver, first, "a chunk");
        driver.Stage(30).AfterCommit.OfType<SaveCheckpoint>().Single().Listed.ShouldBeEmpty();
    }

    [Fact]
    public void On_NewestOfARunIsDamaged_AnotherIsTakenAtOnce()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string second = driver.Save(20);
        Read(driver, first, "a chunk").AfterCommit.ShouldBeEmpty("a newer one is whole");
        Read(driver, second, "a chunk").AfterCommit.ShouldBe([new RequestStaging(driver.Run, CheckpointReasons.Damage)]);
    }

    [Fact]
    public void On_DamagedOfACommand_NobodyIsAskedForItsState()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Command());
        driver.Grant();
        driver.Happens(new WorkerStarted(driver.Run, 4711));
        string name = driver.Save(1);
        Read(driver, name, "a chunk").AfterCommit.ShouldBeEmpty();
    }

    [Fact]
    public void On_WholeAgain_IsUsableAgain()
    {
        EntityDriver driver = EntityDriver.Training();
        string name = driver.Save(10);
        Read(driver, name, "a chunk");
        driver.State.LastUsable.ShouldBeNull();
        Read(driver, name, null);
        driver.State.LastUsable!.Name.ShouldBe(name);
    }

    [Fact]
    public void On_OfOneThatIsNotListed_IsRefused()
    {
        EntityStep step = Read(EntityDriver.Training(), "c-1-1-zzzzzzzz", "missing");
        step.Persist.ShouldBeEmpty();
        step.Reply.ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();
    }

    [Fact]
    public void Retention_TheLastThatWasReadBack_Stays()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Checkpoint = new CheckpointSpec { KeepLast = 1 } }));
        string first = driver.Save(10);
        Read(driver, first, null);
        driver.Save(20);
        string third = driver.Save(30);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([third, first]);
        Read(driver, third, null);
        string fourth = driver.Save(40);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([fourth, third]);
    }

    private static EntityStep Read(EntityDriver driver, string name, string? damage) =>
        driver.Tell(new RecordVerification(name, At, damage));
}
