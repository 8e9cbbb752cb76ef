using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints;

/// <content>How large files of the store are.</content>
public sealed partial class FolderStore
{
    /// <inheritdoc />
    public Task<IReadOnlyDictionary<string, long>> MeasureAsync(
        TaskId task,
        IReadOnlyList<string> files,
        CancellationToken cancellationToken
    ) => Task.Run(() => Measure(task, files, cancellationToken), cancellationToken);

    private IReadOnlyDictionary<string, long> Measure(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        Dictionary<string, long> sizes = new(StringComparer.Ordinal);
        foreach (string file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            FileInfo info = new(_layout.FilePath(task, file));
            try
            {
                sizes[file] = info.Length;
            }
            catch (FileNotFoundException)
            {
                // Unlinked since it was listed.
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw StoreErrors.Describe($"The size of a file of {task} could not be read", info.FullName, e);
            }
        }

        return sizes;
    }
}
