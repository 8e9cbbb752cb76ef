using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Training.Tests;

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
        await node.SendAsync(new ReleasedMessage(final.Id));

        (await node.ExitAsync()).ShouldBe(0);
        HelloMessage hello = node.Received[0].ShouldBeOfType<HelloMessage>();
        hello.Protocol.ShouldBe(1);
        hello.Run.ShouldBe("task-a/3-7");
        node.Received.OfType<PhaseMessage>()
            .Select(message => message.Phase)
            .Distinct()
            .ShouldBe([WorkerPhase.Initializing, WorkerPhase.Training, WorkerPhase.Evaluating, WorkerPhase.Saving]);
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
        SteppedTrainer first = new(stepsPerEpoch: 7);
        await using FakeNode before = new(first);
        await before.BeginAsync(EachEpoch);
        first.Allow(7);
        StagedMessage staged = await before.ExpectAsync<StagedMessage>();

        SteppedTrainer second = new();
        await using FakeNode after = new(second);
        Directory.Delete(after.RestoreDirectory);
        Directory.Move(Path.Combine(before.StagingDirectory, staged.Id), after.RestoreDirectory);
        await after.BeginAsync(restore: true);
        await after.SendAsync(new StopMessage());
        await after.ExpectAsync<StoppedMessage>();

        after.Received.OfType<PhaseMessage>().Select(message => message.Phase).ShouldContain(WorkerPhase.Restoring);
        second.Step.ShouldBe(7);
        second.State.ToArray().ShouldBe(first.State.ToArray());
    }

    [Fact]
    public async Task RunAsync_CheckpointNow_StagesAtTheStepsEndWithItsReason()
    {
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer);
        await node.BeginAsync();
        trainer.Allow(1);
        await node.ExpectAsync<ProgressMessage>();

        await node.SendAsync(new CheckpointNowMessage("migration"), new StopMessage());
        trainer.Allow(1);

        StagedMessage staged = await node.ExpectAsync<StagedMessage>();
        staged.Reason.ShouldBe("migration");
        staged.Step.ShouldBeInRange(1, 2);
        staged.Epoch.ShouldBe(staged.Step / 10.0);
        await node.ExpectAsync<StoppedMessage>();
        (await node.ExitAsync()).ShouldBe(0);
        Directory.GetFileSystemEntries(node.StagingDirectory).ShouldBe([Path.Combine(node.StagingDirectory, staged.Id)]);
    }

    [Fact]
    public async Task RunAsync_TwoUnreleased_TrainsOnWithoutAThird()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch);
        trainer.Allow(6);
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 6) { }

        await node.SendAsync(new StopMessage());
        await node.ExpectAsync<StoppedMessage>();

        trainer.Step.ShouldBe(6);
        node.Received.OfType<StagedMessage>().Select(message => message.Step).ShouldBe([1, 2]);
        Directory.GetDirectories(node.StagingDirectory).Length.ShouldBe(2);
    }

    [Fact]
    public async Task RunAsync_SaveDueWithoutRoom_IsMadeUpAfterTheRelease()
    {
        FakeTimeProvider time = new();
        SteppedTrainer trainer = new(stepsPerEpoch: 3);
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync(EachEpoch);
        trainer.Allow(9);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 9) { }

        time.Advance(TimeSpan.FromSeconds(1));
        trainer.Allow(1);
        (await node.ExpectAsync<ProgressMessage>()).Step.ShouldBe(10);
        await node.SendAsync(new ReleasedMessage(first.Id));
        trainer.Allow(1);

        // Neither step 10 nor 11 ends an epoch: this is the save that was due after step 9.
        StagedMessage third = await node.ExpectAsync<StagedMessage>();
        third.Reason.ShouldBe("epoch");
        third.Step.ShouldBeInRange(10, 11);
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
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 3) { }

        await node.SendAsync(new CheckpointNowMessage("drain"), new StopMessage());
        trainer.Allow(1);
        node.Worker.IsCompleted.ShouldBeFalse();
        await node.SendAsync(new ReleasedMessage(first.Id));

        (await node.ExpectAsync<StagedMessage>()).Reason.ShouldBe("drain");
        await node.ExpectAsync<StoppedMessage>();
        trainer.Step.ShouldBeInRange(3, 4);
    }

    [Fact]
    public async Task RunAsync_Interval_StagesWhenTheTimeIsOver()
    {
        FakeTimeProvider time = new();
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync(new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromSeconds(3) });
        trainer.Allow(1);
        await node.ExpectAsync<ProgressMessage>();

        time.Advance(TimeSpan.FromSeconds(3));
        trainer.Allow(1);

        StagedMessage staged = await node.ExpectAsync<StagedMessage>();
        staged.Reason.ShouldBe("interval");
        staged.Step.ShouldBeInRange(1, 2);
    }

    [Fact]
    public async Task RunAsync_ManySteps_ReportsAtMostEveryTenthOfASecond()
    {
        FakeTimeProvider time = new();
        SteppedTrainer trainer = new(stepsPerEpoch: 50);
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync();
        trainer.Allow(50);
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 50) { }

        // The clock stood still: only the first step, the last one before the evaluation, and the epoch's end.
        node.Received.OfType<ProgressMessage>().Select(message => message.Step).ShouldBe([1, 49, 50]);
    }

    [Fact]
    public async Task RunAsync_HangsInAStep_TheLastOneIsToldAllTheSame()
    {
        FakeTimeProvider time = new();
        SteppedTrainer trainer = new();
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync();
        trainer.Allow(3);
        await node.ExpectAsync<ProgressMessage>();
        await trainer.WaitsAfterAsync(3);

        time.Advance(TimeSpan.FromMilliseconds(100));

        (await node.ExpectAsync<ProgressMessage>()).Step.ShouldBe(3);
    }

    [Fact]
    public async Task RunAsync_StopWhileWaiting_EndsAtOnce()
    {
        await using FakeNode node = new(new SteppedTrainer());
        await node.ExpectAsync<HelloMessage>();
        await node.SendInitAsync();
        await node.ExpectAsync<ReadyMessage>();

        await node.SendAsync(new StopMessage());

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

        await node.SendAsync(new StopMessage());

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
        await node.SendAsync(new CheckpointNowMessage("request"));
        trainer.Allow(20);

        StageFailedMessage failed = await node.ExpectAsync<StageFailedMessage>();
        failed.Reason.ShouldBe("request");
        failed.Detail.ShouldContain("No space left on device");
        Directory.GetFileSystemEntries(node.StagingDirectory).ShouldBeEmpty();

        await node.SendAsync(new CheckpointNowMessage("request"));
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
        await node.SendAsync(new ReleasedMessage(final.Id));

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
