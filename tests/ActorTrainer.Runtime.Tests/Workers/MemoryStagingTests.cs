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
        RestoreCheckpoint restore = new(next, saved);
        await WorkerHarness.UntilAsync(
            () => harness.Host.TryRestoreInMemoryAsync(restore, store, CancellationToken.None).GetAwaiter().GetResult(),
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

    /// <summary>
    /// A run on a node that has never seen its task: its checkpoint is read into memory, it begins with that, and then saves there, again
    /// and again.
    /// </summary>
    [Fact]
    public async Task Begin_OnAnotherNode_ReadsTheCheckpointFromMemoryAndSavesBesideIt()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real", memory: 1L << 30);
        FolderStore store = new(new CheckpointStoreModel { Path = Path.Combine(harness.Directory, "checkpoints") }, TimeProvider.System);
        CheckpointRef saved = await SaveStepAsync(store, harness.Directory, step: 41);
        harness.Start(Run, WorkerHarness.Probe("""{"endless":true}"""), hasRestore: true);
        _ = await harness.WaitAsync<WorkerReady>();
        RestoreCheckpoint restore = new(Run, saved) { ForTrainer = true };
        (await harness.Host.TryRestoreInMemoryAsync(restore, store, CancellationToken.None)).ShouldBeTrue();
        harness.Host.Begin(new BeginTraining(Run, true, new CheckpointSpec { Strategy = CheckpointStrategy.Event }, null));

        for (int save = 1; save <= 5; save++)
        {
            string reason = $"request {save}";
            harness.Host.RequestStaging(new RequestStaging(Run, reason));
            StagedState state = (await harness.WaitAsync<WorkerStaged>(staged => staged.State.Reason == reason)).State;
            state.Step.ShouldBeGreaterThan(41);
            Directory.Exists(harness.Host.StagedDirectory(Run, state.Id)).ShouldBeFalse("it is in memory");
            harness.Host.Stored(Run, state.Id, saved with { Name = $"c-3-{save + 1}-abcdefgh" });
            harness.Host.Release(new ReleaseStaged(Run, state.Id));
        }

        Directory.Exists(harness.Host.RestoreDirectory(Run)).ShouldBeFalse("nothing was written");
        harness.Host.Stop(new StopWorker(Run, TimeSpan.FromSeconds(20)));
        (await harness.WaitAsync<WorkerExited>()).LastLines.ShouldContain("restored step 41");
    }

    private static async Task<CheckpointRef> SaveStepAsync(FolderStore store, string directory, long step)
    {
        string source = Path.Combine(directory, "source");
        using (CheckpointWriter writer = new(source))
        {
            writer.WriteTensor("step", [step]);
            writer.Complete();
        }

        StagedState state = new("s0", step, 0, "request", new Dictionary<string, double>());
        return await store.SaveAsync(
            new SaveRequest(Run.Task, 3, "c-3-1-abcdefgh", state, StateSource.OfFolder(source), []),
            CancellationToken.None
        );
    }
}
