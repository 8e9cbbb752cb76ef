using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Training;
using ActorTrainer.Runtime.Workers.Protocol;

namespace ActorTrainer.Runtime.Tests.Training;

public sealed class WorkerLoopTests
{
    private static readonly CheckpointSpec EachEpoch = new() { Strategy = CheckpointStrategy.Epoch, EpochInterval = 1 };

    [Fact]
    public async Task RunAsync_WholeTraining_SpeaksTheProtocolInOrder()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 2, totalSteps: 4);
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(4);

        DoneMessage done = await node.ExpectAsync<DoneMessage>();
        StagedMessage final = node.Received.OfType<StagedMessage>().ShouldHaveSingleItem();
        node.Worker.IsCompleted.ShouldBeFalse();
        node.Send(new ReleasedMessage(final.Id));

        (await node.ExitAsync()).ShouldBe(0);
        HelloMessage hello = node.Received[0].ShouldBeOfType<HelloMessage>();
        hello.Protocol.ShouldBe(1);
        hello.Run.ShouldBe("task-a/3-7");
        node.Received.OfType<PhaseMessage>().Select(message => message.Phase).Distinct().ShouldBe(
            [WorkerPhase.Initializing, WorkerPhase.Training, WorkerPhase.Evaluating, WorkerPhase.Saving]);
        node.Received.OfType<ProgressMessage>().First().Step.ShouldBe(1);
        final.Reason.ShouldBe("final");
        final.Step.ShouldBe(4);
        done.Step.ShouldBe(4);
        done.Epoch.ShouldBe(2);
        done.Metrics["accuracy"].ShouldBe(0.04);
        done.Metrics["loss"].ShouldBe(0.25);
        done.Results["steps"].ShouldBe("4");
        trainer.Context!.TaskName.ShouldBe("task-a");
        trainer.Context.RunDirectory.ShouldBe(node.RunDirectory);
    }

    [Fact]
    public async Task RunAsync_Restored_LoadsWhatWasStagedBitForBit()
    {
        SteppedTrainer first = new();
        await using FakeNode before = new(first);
        await before.BeginAsync();
        before.Send(new CheckpointNowMessage("request"));
        first.Allow(7);
        StagedMessage staged = await before.ExpectAsync<StagedMessage>();

        SteppedTrainer second = new();
        await using FakeNode after = new(second);
        Directory.Delete(after.RestoreDirectory);
        Directory.Move(Path.Combine(before.StagingDirectory, staged.Id), after.RestoreDirectory);
        await after.BeginAsync(restore: true);
        after.Send(new StopMessage());
        await after.ExpectAsync<StoppedMessage>();

        after.Received.OfType<PhaseMessage>().Select(message => message.Phase).ShouldContain(WorkerPhase.Restoring);
        second.Step.ShouldBe(staged.Step);
        second.State[1].ShouldNotBe(0);
    }

    [Fact]
    public async Task RunAsync_CheckpointNow_StagesAtTheStepsEndWithItsReason()
    {
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(1);
        await node.ExpectAsync<ProgressMessage>();

        node.Send(new CheckpointNowMessage("migration"), new StopMessage());
        trainer.Allow(1);

        StagedMessage staged = await node.ExpectAsync<StagedMessage>();
        staged.Reason.ShouldBe("migration");
        staged.Step.ShouldBe(2);
        staged.Epoch.ShouldBe(0.2);
        await node.ExpectAsync<StoppedMessage>();
        (await node.ExitAsync()).ShouldBe(0);
        Directory.GetFileSystemEntries(node.StagingDirectory).ShouldBe([Path.Combine(node.StagingDirectory, staged.Id)]);
    }

    [Fact]
    public async Task RunAsync_TwoUnreleased_TrainsOnAndStagesWhenReleased()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch);
        trainer.Allow(4);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        (await node.ExpectAsync<StagedMessage>()).Step.ShouldBe(2);
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 4)
        {
            Directory.GetDirectories(node.StagingDirectory).Length.ShouldBe(2);
        }

        node.Send(new ReleasedMessage(first.Id));
        node.Send(new StopMessage());
        trainer.Allow(1);

        // The release and the stop are both seen before the next save could be made, or the step was given up: either way no third folder.
        await node.ExpectAsync<StoppedMessage>();
        node.Received.OfType<StagedMessage>().Select(message => message.Reason).ShouldAllBe(reason => reason == "epoch");
        node.Received.OfType<StagedMessage>().Count().ShouldBeLessThanOrEqualTo(3);
    }

    [Fact]
    public async Task RunAsync_SaveDueWithoutRoom_IsMadeUpAfterTheRelease()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 2);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch);
        trainer.Allow(7);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        await node.ExpectAsync<StagedMessage>();
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 6)
        {
        }

        // Step 7 is not at an epoch's end; the save of step 6 is still owed. A message only counts once the worker waits in a step.
        node.Send(new ReleasedMessage(first.Id));
        StagedMessage? third = null;
        Task<StagedMessage> waiting = node.ExpectAsync<StagedMessage>();
        for (int i = 0; i < 200 && third is null; i++)
        {
            trainer.Allow(1);
            await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
            third = waiting.IsCompleted ? await waiting : null;
        }

        third.ShouldNotBeNull().Reason.ShouldBe("epoch");
        third.Step.ShouldBeGreaterThanOrEqualTo(7);
    }

    [Fact]
    public async Task RunAsync_RequestWithoutRoomThenStop_WaitsForTheRelease()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch);
        trainer.Allow(3);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        await node.ExpectAsync<StagedMessage>();
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 3)
        {
        }

        node.Send(new CheckpointNowMessage("drain"), new StopMessage());
        trainer.Allow(1);
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 4)
        {
        }

        node.Worker.IsCompleted.ShouldBeFalse();
        node.Send(new ReleasedMessage(first.Id));

        (await node.ExpectAsync<StagedMessage>()).Reason.ShouldBe("drain");
        await node.ExpectAsync<StoppedMessage>();
        trainer.Step.ShouldBe(4);
    }

    [Fact]
    public async Task RunAsync_Interval_StagesWhenTheTimeIsOver()
    {
        ManualTime time = new();
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync(new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromSeconds(3) });
        trainer.Allow(1);
        await node.ExpectAsync<ProgressMessage>();

        time.Advance(TimeSpan.FromSeconds(3));
        trainer.Allow(1);

        StagedMessage staged = await node.ExpectAsync<StagedMessage>();
        staged.Reason.ShouldBe("interval");
        staged.Step.ShouldBe(2);
    }

    [Fact]
    public async Task RunAsync_ManySteps_ReportsAtMostEveryTenthOfASecond()
    {
        ManualTime time = new();
        SteppedTrainer trainer = new(stepsPerEpoch: 50);
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync();
        trainer.Allow(50);
        await node.ExpectAsync<ProgressMessage>();
        await node.ExpectAsync<ProgressMessage>();

        // The clock stood still: only the first step and the epoch's end.
        node.Received.OfType<ProgressMessage>().Select(message => message.Step).ShouldBe([1, 50]);
    }

    [Fact]
    public async Task RunAsync_StopWhileWaiting_EndsAtOnce()
    {
        await using FakeNode node = new(new SteppedTrainer());
        await node.ExpectAsync<HelloMessage>();
        node.SendInit();
        await node.ExpectAsync<ReadyMessage>();

        node.Send(new StopMessage());

        await node.ExpectAsync<StoppedMessage>();
        (await node.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task RunAsync_StopInAStepThatHeedsTheToken_EndsWithoutFinishingIt()
    {
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(1);
        await node.ExpectAsync<ProgressMessage>();

        node.Send(new StopMessage());

        await node.ExpectAsync<StoppedMessage>();
        (await node.ExitAsync()).ShouldBe(0);
        trainer.Step.ShouldBe(1);
    }

    [Fact]
    public async Task RunAsync_TrainerThrows_ReportsErrorAndExits70()
    {
        SteppedTrainer trainer = new() { Fails = new InvalidOperationException("the loss is not a number") };
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(1);

        (await node.ExpectAsync<ErrorMessage>()).Detail.ShouldBe("InvalidOperationException: the loss is not a number");
        (await node.ExitAsync()).ShouldBe(70);
        node.Errors.ToString().ShouldContain("SteppedTrainer.StepAsync");
    }

    [Fact]
    public async Task RunAsync_StateCannotBeWritten_ReportsAndTrainsOn()
    {
        SteppedTrainer trainer = new() { SavesThatFail = 1 };
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        node.Send(new CheckpointNowMessage("request"));
        trainer.Allow(20);

        StageFailedMessage failed = await node.ExpectAsync<StageFailedMessage>();
        failed.Reason.ShouldBe("request");
        failed.Detail.ShouldContain("No space left on device");
        Directory.GetFileSystemEntries(node.StagingDirectory).ShouldBeEmpty();

        node.Send(new CheckpointNowMessage("request"));
        trainer.Allow(1);
        await node.ExpectAsync<StagedMessage>();
    }

    [Fact]
    public async Task RunAsync_FinalStateCannotBeWritten_IsTriedUntilItCan()
    {
        SteppedTrainer trainer = new(totalSteps: 1) { SavesThatFail = 1 };
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(1);

        (await node.ExpectAsync<StageFailedMessage>()).Reason.ShouldBe("final");
        StagedMessage final = await node.ExpectAsync<StagedMessage>();
        await node.ExpectAsync<DoneMessage>();
        node.Send(new ReleasedMessage(final.Id));

        (await node.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task RunAsync_NodeGone_IsNoticedInTheMiddleOfAStep()
    {
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(1);
        await node.ExpectAsync<ProgressMessage>();

        node.Close();
        await node.NodeGone;

        // In a process of its own the worker has ended by now; here the step is allowed to end.
        trainer.Allow(1);
        (await node.ExitAsync()).ShouldBe(71);
    }

    [Fact]
    public async Task RunAsync_UnknownMessages_AreIgnored()
    {
        SteppedTrainer trainer = new(totalSteps: 2);
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        node.SendText("{\"type\":\"from-the-future\",\"x\":1}\nnot json\n{\"x\":1}\n");
        trainer.Allow(2);

        (await node.ExpectAsync<DoneMessage>()).Step.ShouldBe(2);
    }
}
