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
}
