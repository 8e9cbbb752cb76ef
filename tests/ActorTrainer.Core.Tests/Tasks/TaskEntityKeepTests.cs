using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>What a user says of a task's checkpoints.</summary>
public sealed class TaskEntityKeepTests
{
    [Fact]
    public void On_Pin_OutlivesKeepLastUntilItIsUnpinned()
    {
        EntityDriver driver = EntityDriver.Training(KeepsLast(1));
        string pinned = driver.Save(10);
        EntityStep step = driver.Tell(new PinCheckpoint(pinned));
        (step.Persist.ShouldHaveSingleItem(), step.Reply).ShouldBe(
            (new TaskCheckpointPinned(pinned), new CommandAccepted(EntityDriver.Id))
        );
        driver.Tell(new PinCheckpoint(pinned)).Persist.ShouldBeEmpty("it is pinned");
        string second = driver.Save(20);
        string third = driver.Save(30);
        Names(driver).ShouldBe([third, pinned]);
        driver.Log.OfType<TaskCheckpointRemoved>().ShouldBe([new TaskCheckpointRemoved(second, "keep-last")]);

        driver.Tell(new UnpinCheckpoint(pinned)).Persist.ShouldBe([new TaskCheckpointUnpinned(pinned)]);
        driver.Tell(new UnpinCheckpoint(pinned)).Persist.ShouldBeEmpty();
        string last = driver.Save(40);
        Names(driver).ShouldBe([last]);
    }

    [Theory]
    [InlineData(TaskStatus.Completed)]
    [InlineData(TaskStatus.Cancelled)]
    [InlineData(TaskStatus.Failed)]
    [InlineData(TaskStatus.Paused)]
    public void On_PinOfATaskThatDoesNotRun_IsKeptInItsState(TaskStatus status)
    {
        EntityDriver driver = EntityDriver.Training();
        string name = driver.Save(10);
        switch (status)
        {
            case TaskStatus.Completed:
                driver.Done();
                driver.Exit(0);
                break;
            case TaskStatus.Failed:
                driver.Exit(127);
                break;
            default:
                driver.Tell(status == TaskStatus.Paused ? new PauseTask() : new CancelTask());
                driver.Tick(60);
                driver.Exit(0);
                break;
        }

        EntityDriver next = driver.Elsewhere(2);
        next.Tell(new PinCheckpoint(name)).Reply.ShouldBeOfType<CommandAccepted>();
        (next.State.Status, next.State.Checkpoints.Single().Pinned).ShouldBe((status, true));
    }

    [Fact]
    public void On_PinThatCannotBe_SaysWhyAndChangesNothing()
    {
        EntityDriver driver = EntityDriver.Training(KeepsLast(1));
        string gone = driver.Save(10);
        string name = driver.Save(20);
        CommandRefused removed = driver.Tell(new PinCheckpoint(gone)).Reply.ShouldBeOfType<CommandRefused>();
        (removed.NotFound, removed.Reason).ShouldBe(
            (true, $"task digits-a1 has no checkpoint '{gone}'; 'actortrainer checkpoints ls digits-a1' lists those it has")
        );
        driver.Tell(new UnpinCheckpoint(gone)).Reply.ShouldBe(removed);
        driver.Do(new EntityStep([new TaskCheckpointDamaged(name, "chunk")], []));
        driver.Tell(new PinCheckpoint(name)).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("is damaged");
        driver.State.Checkpoints.ShouldAllBe(c => !c.Pinned);
    }

    [Fact]
    public void On_UnpinOfOneThatWasDamagedLater_LetsItGo()
    {
        EntityDriver driver = EntityDriver.Training(KeepsLast(1));
        string name = driver.Save(10);
        driver.Tell(new PinCheckpoint(name));
        driver.Do(new EntityStep([new TaskCheckpointDamaged(name, "chunk")], []));
        driver.Save(20);
        Names(driver).ShouldContain(name, "a person may still rescue it");
        driver.Tell(new UnpinCheckpoint(name)).Reply.ShouldBeOfType<CommandAccepted>();
        driver.Save(30);
        Names(driver).ShouldNotContain(name);
    }

    [Fact]
    public void On_Tag_KeepsTheCheckpointAndMovesWhenGivenAgain()
    {
        EntityDriver driver = EntityDriver.Training(KeepsLast(1));
        string first = driver.Save(10);
        EntityStep step = driver.Tell(new TagCheckpoint(first, "best"));
        (step.Persist.ShouldHaveSingleItem(), step.Reply).ShouldBe(
            (new TaskCheckpointTagged(first, "best"), new CommandAccepted(EntityDriver.Id))
        );
        driver.Tell(new TagCheckpoint(first, "best")).Persist.ShouldBeEmpty("it has it");
        driver.Tell(new TagCheckpoint(first, "a"));
        string second = driver.Save(20);
        Tags(driver).ShouldBe([(second, ""), (first, "a best")]);

        EntityStep moved = driver.Tell(new TagCheckpoint(second, "best"));
        moved.Persist.ShouldBe([new TaskCheckpointTagged(second, "best")]);
        moved.Reply.ShouldBe(new CommandAccepted(EntityDriver.Id) { Note = $"the tag 'best' has moved from {first}" });
        Tags(driver).ShouldBe([(second, "best"), (first, "a")]);

        driver.Tell(new UntagCheckpoint(first, "a")).Persist.ShouldBe([new TaskCheckpointUntagged(first, "a")]);
        string third = driver.Save(30);
        Tags(driver).ShouldBe([(third, ""), (second, "best")]);
    }

    [Fact]
    public void On_TagThatCannotBe_SaysWhyAndChangesNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string name = driver.Save(20);
        driver.Tell(new TagCheckpoint(first, "best"));
        driver.Do(new EntityStep([new TaskCheckpointDamaged(name, "chunk")], []));
        driver.Tell(new TagCheckpoint(name, "new")).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("is damaged");
        driver.Tell(new TagCheckpoint(first, "a b")).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldStartWith("'a b' cannot be");
        driver.Tell(new TagCheckpoint("c-9-9-zzzzzzzz", "new")).Reply.ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();
        driver.Tell(new UntagCheckpoint("c-9-9-zzzzzzzz", "best")).Reply.ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();
        driver
            .Tell(new UntagCheckpoint(name, "best"))
            .Reply.ShouldBe(new CommandRefused($"checkpoint {name} of task digits-a1 has no tag 'best'; {first} has it", NotFound: true));
        Tags(driver).ShouldBe([(name, ""), (first, "best")]);
    }

    [Fact]
    public void On_Remove_JournalsItAndUnlinksTheFiles()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string second = driver.Save(20);
        string newest = driver.Save(30);
        string[] files = [.. new[] { first, second }.SelectMany(Files).Order(StringComparer.Ordinal)];

        EntityStep step = driver.Tell(new RemoveCheckpoints([first, second]));

        step.Persist.Take(2).ShouldBe([new TaskCheckpointRemoved(second, "removed"), new TaskCheckpointRemoved(first, "removed")]);
        step.Persist[2].ShouldBeOfType<TaskPacksCondemned>().Packs.ShouldBe(files);
        step.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<UnlinkStoreFiles>().Files.ShouldBe(files);
        step.Reply.ShouldBe(new CommandAccepted(EntityDriver.Id));
        Names(driver).ShouldBe([newest]);
        driver.Tell(new RemoveCheckpoints([first])).Reply.ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();
    }

    [Fact]
    public void On_RemoveOfWhatHasToStay_SaysWhichAndWhyAndRemovesNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        string free = driver.Save(10);
        string pinned = driver.Save(20);
        string tagged = driver.Save(30);
        string newest = driver.Save(40);
        driver.Tell(new PinCheckpoint(pinned));
        driver.Tell(new TagCheckpoint(tagged, "best"));

        Refused(driver, free, pinned, tagged, newest)
            .ShouldBe(
                $"{pinned} is pinned: 'actortrainer checkpoints unpin {pinned}' ends that; "
                    + $"{tagged} has the tag 'best': 'actortrainer checkpoints tag {tagged} best --remove' takes it away; "
                    + $"{newest} is the one that task digits-a1 would go on from: save another one, or cancel the task; nothing was removed"
            );
        Names(driver).ShouldBe([newest, tagged, pinned, free]);

        // It runs from one while a newer one is there.
        EntityDriver next = driver.Elsewhere(2);
        next.Grant();
        Refused(next, newest).ShouldBe($"{newest} is being restored");
        next.Happens(new CheckpointRestored(next.Run, newest));
        next.Happens(new WorkerReady(next.Run));
        string own = next.Save(50);
        Refused(next, newest).ShouldBe($"{newest} is the one that the present run of task digits-a1 began with");
        next.Entity.Protect(free);
        Refused(next, free).ShouldBe($"{free} is being restored");
        next.Entity.Protect(null);
        next.Tell(new RestoreTask(free));
        Refused(next, free).ShouldBe($"{free} is the one that task digits-a1 was told to go on from");

        // One that has ended needs none of them.
        next.Tell(new CancelTask());
        next.Exit(0);
        next.Tell(new RemoveCheckpoints([own, newest, free])).Reply.ShouldBeOfType<CommandAccepted>();
        Names(next).ShouldBe([tagged, pinned]);
    }

    [Fact]
    public void On_RemoveOfAFailedTask_KeepsTheOneThatAResumeGoesOnFrom()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(127);
        Refused(driver, newest).ShouldContain("would go on from");
        driver.Tell(new RemoveCheckpoints([first])).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public void On_RemoveWhileASaveMayReferenceThePacks_CondemnsThemOnceItDoesNot()
    {
        EntityDriver driver = EntityDriver.Training();
        string[] names = [driver.Save(10), driver.Save(20), driver.Save(30)];
        SaveCheckpoint save = driver.Stage(40).AfterCommit.OfType<SaveCheckpoint>().Single();
        save.Listed.Select(c => c.Name).ShouldBe(names.Reverse());

        EntityStep step = driver.Tell(new RemoveCheckpoints([names[0], names[1]]));

        step.AfterCommit.OfType<UnlinkStoreFiles>()
            .Single()
            .Files.ShouldBe([CheckpointNames.ManifestFile(names[0]), CheckpointNames.ManifestFile(names[1])], ignoreOrder: true);
        Names(driver).ShouldBe([names[2]]);

        // It took chunks of the first, and of the second none.
        CheckpointRef stored = EntityDriver.Ref(save.Name, 40);
        stored = stored with { Packs = [.. stored.Packs, CheckpointNames.PackFile(names[0])] };
        EntityStep then = driver.Happens(new CheckpointStored(save.Run, save.State.Id, stored));
        then.AfterCommit.OfType<UnlinkStoreFiles>().Single().Files.ShouldBe([CheckpointNames.PackFile(names[1])]);
        then.Persist.OfType<TaskPacksCondemned>().Single().Packs.ShouldBe([CheckpointNames.PackFile(names[1])]);
        driver.Stage(50);
        driver.Tell(new RemoveCheckpoints([names[2]])).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public void On_Stored_WhatTheSpecificationKeepsStays()
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Trainer(s =>
                s with
                {
                    Checkpoint = new CheckpointSpec
                    {
                        KeepLast = 1,
                        BestMetric = "loss",
                        KeepBest = 2,
                        KeepEverySteps = 100,
                    },
                }
            )
        );
        long[] steps = [10, 20, 30, 110, 120, 130];
        double[] losses = [5, 1, 3, 4, 2, 6];
        foreach ((long step, double loss) in steps.Zip(losses))
        {
            driver.Save(step, metrics: new Dictionary<string, double> { ["loss"] = loss });
        }

        driver.State.Checkpoints.Select(c => c.Checkpoint.Step).ShouldBe([130, 120, 110, 20, 10]);
    }

    [Fact]
    public void On_CollectGarbage_RemovesWhatNoEventAndNoSaveNeeds()
    {
        EntityDriver driver = EntityDriver.Training().Elsewhere(2);
        driver.Start();
        string kept = driver.Save(10);
        string[] old = [CheckpointNames.ManifestFile("c-1-7-left"), CheckpointNames.PackFile("c-1-7-left")];
        string[] files = [.. old, CheckpointNames.PackFile("c-2-9-now"), .. Files(kept)];

        EntityStep dry = driver.Tell(new CollectGarbage(files, DryRun: true));
        (dry.Persist.Count, dry.AfterCommit.Count).ShouldBe((0, 0));
        dry.Reply.ShouldBeOfType<CommandAccepted>().Files.ShouldBe(old);

        EntityStep step = driver.Tell(new CollectGarbage(files, DryRun: false));
        step.Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskPacksCondemned>().Packs.ShouldBe(old);
        step.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<UnlinkStoreFiles>().Files.ShouldBe(old);
        step.Reply.ShouldBeOfType<CommandAccepted>().Files.ShouldBe(old);
        EntityStep none = driver.Tell(new CollectGarbage(Files(kept).ToArray(), DryRun: false));
        none.Persist.ShouldBeEmpty();
        none.Reply.ShouldBeOfType<CommandAccepted>().Files.ShouldBeEmpty();
    }

    [Fact]
    public void On_CollectGarbageWhileASaveTakesChunksOfARemovedOne_LeavesItsPack()
    {
        EntityDriver driver = EntityDriver.Training();
        string removed = driver.Save(10);
        driver.Save(20);
        EntityDriver next = driver.Elsewhere(2);
        next.Start();
        SaveCheckpoint save = next.Stage(30).AfterCommit.OfType<SaveCheckpoint>().Single();
        next.Tell(new RemoveCheckpoints([removed]));

        CollectGarbage collect = new([CheckpointNames.PackFile(removed)], DryRun: true);
        next.Tell(collect).Reply.ShouldBeOfType<CommandAccepted>().Files.ShouldBeEmpty();
        next.StoreFails(save);
        next.Tell(collect).Reply.ShouldBeOfType<CommandAccepted>().Files.ShouldBe([CheckpointNames.PackFile(removed)]);
    }

    private static string Refused(EntityDriver driver, params string[] names)
    {
        EntityStep step = driver.Tell(new RemoveCheckpoints(names));
        step.Persist.ShouldBeEmpty();
        step.AfterCommit.ShouldBeEmpty();
        return step.Reply.ShouldBeOfType<CommandRefused>().Reason;
    }

    private static IEnumerable<string> Files(string name) => [CheckpointNames.ManifestFile(name), CheckpointNames.PackFile(name)];

    private static TaskSpec KeepsLast(int count) =>
        EntityDriver.Trainer(s => s with { Checkpoint = s.Checkpoint with { KeepLast = count } });

    private static IEnumerable<(string, string)> Tags(EntityDriver driver) =>
        driver.State.Checkpoints.Select(c => (c.Checkpoint.Name, string.Join(' ', c.Tags)));

    private static IEnumerable<string> Names(EntityDriver driver) => driver.State.Checkpoints.Select(c => c.Checkpoint.Name);
}
