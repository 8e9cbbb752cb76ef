using System.Text.Json;
using ActorTrainer.Core;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Tests.Workers;

[Trait("Lane", "Slow")]
public sealed class TrainerProtocolTests
{
    private static readonly RunKey Run = WorkerHarness.Key();

    [Fact]
    public async Task Begin_ReadyTrainer_TrainsToItsEnd()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("steps"));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(new BeginTraining(Run, true, new CheckpointSpec { Strategy = CheckpointStrategy.Epoch }, 0.25));
        WorkerExited exited = await harness.WaitAsync<WorkerExited>();
        exited.ExitCode.ShouldBe(0);
        exited.LastLines.ShouldBe(["init steps ", "begin restore=True Epoch best=0.25"]);
        harness
            .Inputs.OfType<WorkerPhaseChanged>()
            .Select(changed => changed.Phase)
            .ShouldBe([WorkerPhase.Initializing, WorkerPhase.Training]);
        TaskProgress last = harness.Inputs.OfType<WorkerProgressed>().Last().Progress;
        last.Step.ShouldBe(5);
        last.Metrics["loss"].ShouldBe(double.NaN);
        string journaled = JsonSerializer.Serialize(last, CoreJsonContext.Default.TaskProgress);
        JsonSerializer.Deserialize(journaled, CoreJsonContext.Default.TaskProgress)!.Metrics["loss"].ShouldBe(double.NaN);
        WorkerDone done = harness.Inputs[^2].ShouldBeOfType<WorkerDone>();
        done.Results["sha256"].ShouldBe("abc");
        harness.Inputs[^1].ShouldBe(exited);
    }

    [Fact]
    public async Task Begin_TrainerThatKnowsNoPace_GetsTheIntervalInsteadOfAdaptive()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("steps"));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(new BeginTraining(Run, true, new CheckpointSpec { Strategy = CheckpointStrategy.Adaptive }, 0.25));
        (await harness.WaitAsync<WorkerExited>()).LastLines.ShouldBe(["init steps ", "begin restore=True Interval best=0.25"]);
    }

    [Fact]
    public async Task Pace_RealTrainer_SavesByItselfAgainAndAgainAndSaysWhatItCosts()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real", memory: 1L << 30);
        harness.Start(Run, WorkerHarness.Probe("""{"endless":true}"""));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(
            new BeginTraining(Run, false, new CheckpointSpec { Strategy = CheckpointStrategy.Adaptive }, null)
            {
                Pace = TimeSpan.FromMilliseconds(50),
            }
        );
        StagedState first = (await harness.WaitAsync<WorkerStaged>()).State;
        first.Reason.ShouldBe("adaptive");
        first.Stall.ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        _ = await harness.WaitAsync<WorkerProgressed>(progressed => progressed.Progress.Step >= first.Step + 20);
        harness.Inputs.OfType<WorkerStaged>().Count().ShouldBe(1, "the first state is not stored yet");

        harness.Host.Pace(new PaceSaves(Run, TimeSpan.FromMilliseconds(1)));
        harness.Host.Release(new ReleaseStaged(Run, first.Id));
        StagedState second = (await harness.WaitAsync<WorkerStaged>(staged => staged.State.Id != first.Id)).State;
        (second.Reason, second.Stall is null).ShouldBe(("adaptive", false));
        harness.Host.Stop(new StopWorker(Run, TimeSpan.FromSeconds(20)));
        (await harness.WaitAsync<WorkerExited>()).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task RequestStaging_ConnectedTrainer_StagesAndHearsOfTheRelease()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("serve"));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.RequestStaging(new RequestStaging(Run, "migration"));
        StagedState state = (await harness.WaitAsync<WorkerStaged>()).State;
        state.Reason.ShouldBe("migration");
        string folder = harness.Host.StagedDirectory(Run, state.Id);
        (await File.ReadAllTextAsync(Path.Combine(folder, "state"))).ShouldBe("state 1");
        harness.Host.Release(new ReleaseStaged(Run, state.Id));
        _ = await harness.WaitAsync<WorkerProgressed>();
        Directory.Exists(folder).ShouldBeFalse();
        harness.Host.Stop(new StopWorker(Run, TimeSpan.FromSeconds(20)));
        WorkerExited exited = await harness.WaitAsync<WorkerExited>();
        exited.ExitCode.ShouldBe(0);
        exited.LastLines.ShouldContain("released s1");
    }

    [Fact]
    public async Task Trainer_ThatThrows_ExitsWithItsException()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("throw"));
        WorkerExited exited = await harness.WaitAsync<WorkerExited>();
        exited.ExitCode.ShouldBe(3);
        exited.Error.ShouldBe("System.InvalidOperationException: no data");
    }

    [Fact]
    public async Task Stop_DeafTrainer_IsForced()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("deaf"));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Stop(new StopWorker(Run, TimeSpan.FromMilliseconds(400)));
        (await harness.WaitAsync<WorkerExited>()).Signal.ShouldBe(9);
    }

    [Fact]
    public async Task Progress_InFloods_IsFoldedIntoTheNewest()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("flood"));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(new BeginTraining(Run, false, new CheckpointSpec(), null));
        _ = await harness.WaitAsync<WorkerExited>();
        long[] steps = [.. harness.Inputs.OfType<WorkerProgressed>().Select(progressed => progressed.Progress.Step)];
        steps[^1].ShouldBe(10_000);
        steps.ShouldBeInOrder();
    }

    [Fact]
    public async Task Messages_ThatAreNone_AreIgnored()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Trainer("garbage"));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(new BeginTraining(Run, false, new CheckpointSpec(), null));
        (await harness.WaitAsync<WorkerExited>()).ExitCode.ShouldBe(0);
        harness.Inputs.OfType<WorkerDone>().ShouldHaveSingleItem();
        harness.Inputs.OfType<WorkerProgressed>().Last().Progress.Step.ShouldBe(5);
    }
}
