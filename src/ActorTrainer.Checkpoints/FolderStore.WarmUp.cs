using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <content>
/// The first save and restore of a process cost a few hundred milliseconds more than the others: code is compiled, buffers are touched
/// for the first time. A node pays that when it starts, not when it takes over a task.
/// </content>
public sealed partial class FolderStore
{
    private const int WarmUpChunks = 4;

    /// <summary>
    /// Saves, verifies and restores a small state in a folder of its own, which is removed at the end. The store itself is not touched.
    /// </summary>
    /// <param name="scratchFolder">A folder that does not exist, on a local disk; its parent is made when it is missing.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="CheckpointStoreException">The scratch folder could not be used.</exception>
    public async Task WarmUpAsync(string scratchFolder, CancellationToken cancellationToken)
    {
        FolderStore scratch = new(_model with { Path = Path.Combine(scratchFolder, "store") }, _time, _pool, RealDisk.Instance);
        DeterministicRandom random = new(1);
        TaskId task = TaskId.Parse("warm-up");
        string source = Path.Combine(scratchFolder, "source");
        try
        {
            await Task.Run(() => WriteSample(source, random), cancellationToken);
            StagedState state = new("warm-up", 0, 0, CheckpointReasons.Request, new Dictionary<string, double>());
            SaveRequest request = new(task, 1, CheckpointNames.Create(1, 0, random), state, StateSource.OfFolder(source), []);
            CheckpointRef saved = await scratch.SaveAsync(request, cancellationToken);
            await scratch.VerifyAsync(task, saved, cancellationToken);
            await scratch.RestoreAsync(task, saved, Path.Combine(scratchFolder, "restored"), cancellationToken);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe("The checkpoint code could not be warmed up", scratchFolder, e);
        }
        finally
        {
            FolderRestore.TryRemove(scratchFolder);
        }
    }

    // Floats and text, so that every codec is met.
    private void WriteSample(string folder, DeterministicRandom random)
    {
        Directory.CreateDirectory(folder);
        byte[] bytes = new byte[_model.ChunkSizeBytes];
        using FileStream file = File.Create(Path.Combine(folder, "sample"));
        for (int chunk = 0; chunk < WarmUpChunks; chunk++)
        {
            for (int at = 0; at + sizeof(float) <= bytes.Length; at += sizeof(float))
            {
                float value = chunk % 2 == 0 ? (float)(random.NextDouble() - 0.5) : at % 997;
                BitConverter.TryWriteBytes(bytes.AsSpan(at), value);
            }

            file.Write(bytes);
        }
    }
}
