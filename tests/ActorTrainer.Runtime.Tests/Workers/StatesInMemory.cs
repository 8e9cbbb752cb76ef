using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Memory;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>What a worker and its node do with an area: one writes into it, the other stores what is staged there.</summary>
internal static class StatesInMemory
{
    public static void Write(string area, byte[] bytes)
    {
        using FileStream file = File.Open(area, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Write(bytes);
    }

    /// <summary>In chunks of 4 KiB, as the checkpoint c-3-1-abcdefgh of a store below the folder.</summary>
    public static Task<CheckpointRef> SaveAsync(StateMemory memory, RunKey run, string id, string folder)
    {
        FolderStore store = new(
            new CheckpointStoreModel { Path = Path.Combine(folder, "store"), ChunkSizeBytes = 4096 },
            TimeProvider.System
        );
        StagedState state = new(id, 1, 0, "request", new Dictionary<string, double>());
        return store.SaveAsync(new SaveRequest(run.Task, 3, "c-3-1-abcdefgh", state, memory.Source(run, id)!, []), CancellationToken.None);
    }
}
