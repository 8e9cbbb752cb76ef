using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A real worker that stages in memory of its node.</summary>
[Trait("Lane", "Slow")]
public sealed class MemoryStagingTests
{
    private static readonly RunKey Run = WorkerHarness.Key();

    [Fact]
    public async Task RequestStaging_TrainerWithMemory_IsStoredWithoutAFile()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real", memory: 1L << 30);
        harness.Start(Run, WorkerHarness.Probe("""{"endless":true}"""));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(new BeginTraining(Run, false, new CheckpointSpec { Strategy = CheckpointStrategy.Event }, null));
        FolderStore store = new(new CheckpointStoreModel { Path = Path.Combine(harness.Directory, "checkpoints") }, TimeProvider.System);
        for (int save = 1; save <= 5; save++)
        {
            string reason = $"request {save}";
            harness.Host.RequestStaging(new RequestStaging(Run, reason));
            StagedState state = (await harness.WaitAsync<WorkerStaged>(staged => staged.State.Reason == reason)).State;
            Directory.Exists(harness.Host.StagedDirectory(Run, state.Id)).ShouldBeFalse();

            string name = $"c-3-{save}-abcdefgh";
            CheckpointRef saved = await store.SaveAsync(
                new SaveRequest(Run.Task, 3, name, state, harness.Host.Staged(Run, state.Id), []),
                CancellationToken.None
            );
            harness.Host.Stored(Run, state.Id, saved);
            harness.Host.Release(new ReleaseStaged(Run, state.Id));

            string restored = Path.Combine(harness.Directory, name);
            await store.RestoreAsync(Run.Task, saved, restored, CancellationToken.None);
            using CheckpointReader reader = new(restored);
            long[] step = new long[1];
            reader.ReadTensor("step", step);
            step[0].ShouldBe(state.Step);
        }

        harness.Host.Stop(new StopWorker(Run, TimeSpan.FromSeconds(20)));
        (await harness.WaitAsync<WorkerExited>()).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Begin_AfterACrash_GoesOnFromMemory()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real", memory: 1L << 30);
        harness.Start(Run, WorkerHarness.Probe("""{"endless":true}"""));
        _ = await harness.WaitAsync<WorkerReady>();
        harness.Host.Begin(new BeginTraining(Run, false, new CheckpointSpec { Strategy = CheckpointStrategy.Event }, null));
        harness.Host.RequestStaging(new RequestStaging(Run, "request"));
        StagedState state = (await harness.WaitAsync<WorkerStaged>()).State;
        FolderStore store = new(new CheckpointStoreModel { Path = Path.Combine(harness.Directory, "checkpoints") }, TimeProvider.System);
        CheckpointRef saved = await store.SaveAsync(
            new SaveRequest(Run.Task, 3, "c-3-1-abcdefgh", state, harness.Host.Staged(Run, state.Id), []),
            CancellationToken.None
        );
        harness.Host.Stored(Run, state.Id, saved);
        harness.Host.Release(new ReleaseStaged(Run, state.Id));
        harness.Host.Stop(new StopWorker(Run, TimeSpan.Zero));
        _ = await harness.WaitAsync<WorkerExited>();
        Directory.Delete(Path.Combine(harness.Directory, "checkpoints"), recursive: true);

        RunKey next = WorkerHarness.Key(2);
        await WorkerHarness.UntilAsync(
            () => harness.Host.TryRestoreFromMemory(next, saved, CancellationToken.None),
            "the state is released"
        );
        harness.Start(next, WorkerHarness.Probe("""{"endless":true}"""), hasRestore: true);
        _ = await harness.WaitAsync<WorkerReady>(ready => ready.Run == next);
        harness.Host.Begin(new BeginTraining(next, true, new CheckpointSpec { Strategy = CheckpointStrategy.Event }, null));
        harness.Host.RequestStaging(new RequestStaging(next, "again"));

        (await harness.WaitAsync<WorkerStaged>(staged => staged.Run == next)).State.Step.ShouldBeGreaterThan(state.Step);
        Directory.Exists(harness.Host.RestoreDirectory(next)).ShouldBeFalse("nothing was written");
        harness.Host.Stop(new StopWorker(next, TimeSpan.FromSeconds(20)));
        WorkerExited exited = await harness.WaitAsync<WorkerExited>(exit => exit.Run == next);
        exited.LastLines.ShouldContain($"restored step {state.Step}");
    }
}
