using System.Buffers;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Bundles beside the checkpoints in a folder that all nodes share, one file each: <c>bundles/HASH.tar.gz</c>.</summary>
public sealed class FolderBundles : IBundleStore
{
    private const int BufferSize = 128 * 1024;
    private static readonly TimeSpan LeftBehindAfter = TimeSpan.FromDays(1);

    private readonly FolderLayout _layout;
    private readonly BundleLimits _limits;
    private readonly TimeProvider _time;

    /// <summary>Opens a store; nothing is read or written yet, and the folder need not exist.</summary>
    /// <param name="model">The folder of the checkpoint store.</param>
    /// <param name="time">Tells which temporary files nobody writes any more.</param>
    public FolderBundles(CheckpointStoreModel model, TimeProvider time)
        : this(model, time, BundleLimits.Default) { }

    internal FolderBundles(CheckpointStoreModel model, TimeProvider time, BundleLimits limits)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(model.Path);
        _layout = new FolderLayout(model.Path);
        _limits = limits;
        _time = time;
    }

    /// <inheritdoc />
    public Task<bool> HasAsync(string hash, CancellationToken cancellationToken) => Task.FromResult(Has(hash));

    /// <summary>Whether the folder has a bundle.</summary>
    internal bool Has(string hash) => BundleSpec.IsHash(hash) && File.Exists(_layout.BundlePath(hash));

    /// <summary>Where a bundle stands.</summary>
    internal string PathOf(string hash) => _layout.BundlePath(hash);

    /// <exception cref="CheckpointStoreException">The folder is away.</exception>
    internal void RequireStore() => _layout.RequireStore();

    /// <inheritdoc />
    public Task<BundleSpec> PutAsync(string hash, Stream archive, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(archive);
        return PutAsync(hash, archive.ReadAsync, cancellationToken);
    }

    /// <summary>Whether the folder has a bundle, and what it has is that.</summary>
    internal async Task<bool> IsWholeAsync(string hash, CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadAsync(_layout.BundlePath(hash), folder: null, cancellationToken)).Hash == hash;
        }
        catch (Exception e) when (e is BundleException || StoreErrors.IsFromSystem(e))
        {
            return false;
        }
    }

    /// <summary>Opens an archive as it is; null: the folder has none.</summary>
    /// <exception cref="CheckpointStoreException">The folder is away.</exception>
    internal SafeFileHandle? Open(string hash)
    {
        string path = _layout.BundlePath(hash);
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            _layout.RequireStore();
            return null;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Bundle {BundleSpec.Shorten(hash)} could not be read", path, e);
        }
    }

    /// <summary>As above, from whatever gives its bytes: 0 at their end.</summary>
    internal async Task<BundleSpec> PutAsync(
        string hash,
        Func<Memory<byte>, CancellationToken, ValueTask<int>> read,
        CancellationToken cancellationToken
    )
    {
        string path = _layout.BundlePath(hash);
        string temporary = $"{path}.{Path.GetRandomFileName()}{FolderLayout.TemporarySuffix}";
        try
        {
            _layout.PrepareBundles();
            RemoveLeftBehind();
            await ReceiveAsync(read, temporary, cancellationToken);
            BundleSpec found = await ReadAsync(temporary, folder: null, cancellationToken);
            if (found.Hash != hash)
            {
                throw new BundleException(
                    $"The archive's content has the hash {BundleSpec.Shorten(found.Hash)} and not {BundleSpec.Shorten(hash)}: "
                        + "a file was changed while it was read, or bytes got lost. Submit the task once more."
                );
            }

            File.Move(temporary, path, overwrite: true);
            DirectorySync.Sync(_layout.BundleFolder);
            return found;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e) && e is not BundleSourceException)
        {
            throw StoreErrors.Describe($"Bundle {BundleSpec.Shorten(hash)} could not be stored", path, e);
        }
        finally
        {
            TryDelete(temporary);
        }
    }

    /// <inheritdoc />
    public async Task UnpackAsync(string hash, string folder, CancellationToken cancellationToken)
    {
        string path = _layout.BundlePath(hash);
        try
        {
            Directory.CreateDirectory(folder);
            BundleSpec found = await ReadAsync(path, folder, cancellationToken);
            if (found.Hash != hash)
            {
                throw new BundleException($"its content has the hash {BundleSpec.Shorten(found.Hash)}");
            }
        }
        catch (BundleException e)
        {
            throw BundleErrors.Damaged(hash, path, e);
        }
        catch (FileNotFoundException e) when (File.Exists(_layout.MarkerPath))
        {
            throw BundleErrors.Missing(hash, $"there is no {path}", e);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            _layout.RequireStore();
            throw new CheckpointStoreException(
                $"Bundle {BundleSpec.Shorten(hash)} could not be unpacked into {folder}: {e.Message.TrimEnd('.')}. "
                    + "Check the disks of actortrainer.node.data-dir and actortrainer.checkpoints.path.",
                e
            );
        }
    }

    private async Task<BundleSpec> ReadAsync(string path, string? folder, CancellationToken cancellationToken)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, BufferSize, true);
        return await BundleArchive.ReadAsync(file, folder, _limits, cancellationToken);
    }

    private async Task ReceiveAsync(
        Func<Memory<byte>, CancellationToken, ValueTask<int>> archive,
        string path,
        CancellationToken cancellationToken
    )
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0, true);
            long bytes = 0;
            while (await ReceiveSomeAsync(archive, buffer, cancellationToken) is > 0 and int read)
            {
                bytes += read;
                if (bytes > _limits.PackedBytes)
                {
                    throw TarGuard.TooLarge(_limits.Bytes);
                }

                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            file.Flush(flushToDisk: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>What goes wrong with the sender is not the store's.</summary>
    private static async Task<int> ReceiveSomeAsync(
        Func<Memory<byte>, CancellationToken, ValueTask<int>> archive,
        byte[] buffer,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await archive(buffer, cancellationToken);
        }
        catch (IOException e)
        {
            throw new BundleSourceException(e);
        }
    }

    /// <summary>What a node was receiving when it ended.</summary>
    private void RemoveLeftBehind()
    {
        DateTime old = (_time.GetUtcNow() - LeftBehindAfter).UtcDateTime;
        foreach (string path in Directory.EnumerateFiles(_layout.BundleFolder, "*" + FolderLayout.TemporarySuffix))
        {
            if (File.GetLastWriteTimeUtc(path) < old)
            {
                TryDelete(path);
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // Taken by a later upload: it costs space only.
        }
    }

    private sealed class BundleSourceException(IOException inner) : IOException(inner.Message, inner);
}
