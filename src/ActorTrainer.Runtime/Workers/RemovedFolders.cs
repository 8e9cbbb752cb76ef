using System.Threading.Channels;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// Folders that are to go. Each is put aside by one rename, which takes no longer for a million files than for one, and is deleted in the
/// background: nobody waits for that. What a crash leaves of it the node's next life deletes.
/// </summary>
/// <param name="aside">Where they are put: a folder that nothing else reads, on the file system of what is put there.</param>
/// <param name="time">The clock.</param>
internal sealed class RemovedFolders(string aside, TimeProvider time) : IAsyncDisposable
{
    /// <summary>After so many files it rests for as long as they took: it takes at most half of a slow disk.</summary>
    internal const int FilesAtATime = 200;

    private static readonly TimeSpan LeastRest = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private int _filesOfSlice;
    private long _sliceBegan;

    /// <summary>Begins to delete, first what a former life of the node has left.</summary>
    public void Start()
    {
        try
        {
            foreach (string left in Directory.Exists(aside) ? Directory.GetDirectories(aside) : [])
            {
                _ = _queue.Writer.TryWrite(left);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left for the next start: it costs space only.
        }

        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    /// <summary>Takes a folder from its place; one that cannot be moved is deleted where it is, later too. Returns at once.</summary>
    public void Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        string moved = Path.Combine(aside, Path.GetRandomFileName());
        try
        {
            _ = Directory.CreateDirectory(aside);
            Directory.Move(folder, moved);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            moved = folder;
        }

        _ = _queue.Writer.TryWrite(moved);
    }

    /// <summary>Stops between two files; what is left is deleted after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _loop.WaitAsync(StopLimit, time);
        }
        catch (TimeoutException)
        {
            // A disk that hangs holds up no node that ends.
        }
    }

    private async Task LoopAsync()
    {
        try
        {
            await foreach (string folder in _queue.Reader.ReadAllAsync(_stop.Token))
            {
                _sliceBegan = time.GetTimestamp();
                await DeleteAsync(new DirectoryInfo(folder));
            }
        }
        catch (OperationCanceledException)
        {
            // The node ends.
        }
    }

    private async Task DeleteAsync(DirectoryInfo folder)
    {
        try
        {
            foreach (FileSystemInfo info in folder.EnumerateFileSystemInfos())
            {
                if (info.Attributes.HasFlag(FileAttributes.ReparsePoint))
                {
                    // A link goes with the folder that it is in: what it leads to stays.
                    continue;
                }

                if (info is DirectoryInfo inner)
                {
                    await DeleteAsync(inner);
                    continue;
                }

                DeleteFile(info);
                await RestAsync();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is tried once more as a whole.
        }

        RunDirectories.DeleteFolder(folder.FullName);
        await RestAsync();
    }

    private static void DeleteFile(FileSystemInfo file)
    {
        try
        {
            file.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Tried once more with its folder.
        }
    }

    private async Task RestAsync()
    {
        _stop.Token.ThrowIfCancellationRequested();
        if (++_filesOfSlice < FilesAtATime)
        {
            return;
        }

        TimeSpan took = time.GetElapsedTime(_sliceBegan);
        await Task.Delay(took > LeastRest ? took : LeastRest, time, _stop.Token);
        _filesOfSlice = 0;
        _sliceBegan = time.GetTimestamp();
    }
}
