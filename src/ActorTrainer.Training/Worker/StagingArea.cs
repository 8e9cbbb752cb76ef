using System.Globalization;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// The folders in which a run leaves its states for the node. At most two stand at a time, so that a node that cannot store does not
/// fill the disk; a folder appears complete, by rename. Nothing is synced here: what survives is what the store writes.
/// </summary>
internal sealed class StagingArea(string directory)
{
    private const int MaxUnreleased = 2;

    private readonly HashSet<string> _unreleased = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>Whether another state may be staged now.</summary>
    public bool HasRoom => _unreleased.Count < MaxUnreleased;

    /// <summary>Whether this state still waits to be stored.</summary>
    public bool IsUnreleased(string id) => _unreleased.Contains(id);

    /// <summary>The node has removed a folder.</summary>
    public void Release(string id) => _unreleased.Remove(id);

    /// <summary>Writes a state and gives its id.</summary>
    /// <exception cref="IOException">It could not be written; what was written is removed again.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public async ValueTask<string> StageAsync(ITrainer trainer, long step, CancellationToken cancellationToken)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"s{++_count}-{step}");
        string target = Path.Combine(directory, id);
        string temporary = target + ".tmp";
        try
        {
            using (CheckpointWriter writer = new(temporary))
            {
                await trainer.SaveAsync(writer, cancellationToken);
                writer.Complete();
            }

            Directory.Move(temporary, target);
        }
        catch
        {
            TryRemove(temporary);
            throw;
        }

        _unreleased.Add(id);
        return id;
    }

    private static void TryRemove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The run directory is removed as a whole later; the first error is the one to report.
        }
    }
}
