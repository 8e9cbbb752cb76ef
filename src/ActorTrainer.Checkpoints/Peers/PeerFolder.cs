using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Identity;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// What a node has of checkpoints, for other nodes: its own and the copies that it keeps for others, which stand side by side in its
/// store's folder. Names are never used twice, so one is never in the other's way; and a node that takes over a task whose copies it kept
/// finds all of them in its own folder. A file that arrives is seen once it is whole and durable.
/// </summary>
internal sealed class PeerFolder
{
    private const int PieceBytes = 1 << 20;
    private const int WritebackEvery = 16 << 20;

    /// <summary>What stays free for the node's own saves and its journal.</summary>
    private const long LeftFree = 256L << 20;

    private readonly FolderLayout _layout;
    private readonly FolderFiles _files;

    /// <param name="root">The folder of the node's store.</param>
    /// <param name="bundles">The bundles below it.</param>
    public PeerFolder(string root, FolderBundles bundles)
    {
        _layout = new FolderLayout(root);
        _files = new FolderFiles(_layout);
        Bundles = bundles;
    }

    /// <summary>The bundles that the node has.</summary>
    public FolderBundles Bundles { get; }

    /// <summary>Where files stand that have not arrived whole yet. No task's id is <c>arrivals</c>: they have a dash.</summary>
    private string Arrivals => Path.Combine(_layout.Root, "arrivals");

    /// <summary>Removes what a former life of this node received in part.</summary>
    public void Clear()
    {
        try
        {
            if (Directory.Exists(Arrivals))
            {
                Directory.Delete(Arrivals, recursive: true);
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // It takes room and nothing else.
        }
    }

    /// <summary>The finished files of a task with their lengths.</summary>
    /// <exception cref="CheckpointStoreException">The folder is away.</exception>
    public IReadOnlyList<PeerFile> List(TaskId task) =>
        OrDescribe<IReadOnlyList<PeerFile>>(
            task,
            () =>
            {
                _layout.RequireStore();
                return
                [
                    .. _files
                        .List(task, CancellationToken.None)
                        .Where(PeerProtocol.IsShared)
                        .Select(file => (File: file, Length: _files.LengthOf(task, file, CancellationToken.None)))
                        .Where(found => found.Length is not null)
                        .Select(found => new PeerFile(found.File, found.Length!.Value)),
                ];
            }
        );

    /// <summary>Opens a file; null: it is not here.</summary>
    /// <exception cref="CheckpointStoreException">The folder is away.</exception>
    public SafeFileHandle? Open(TaskId task, string file) =>
        OrDescribe(
            task,
            () =>
            {
                try
                {
                    return File.OpenHandle(
                        _layout.FilePath(task, file),
                        FileMode.Open,
                        FileAccess.Read,
                        FileShare.ReadWrite | FileShare.Delete
                    );
                }
                catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
                {
                    // A disk that is not mounted has no files either, and is not missing any.
                    _layout.RequireStore();
                    return null;
                }
            }
        );

    /// <summary>Removes a file; one that is not here is passed over.</summary>
    /// <exception cref="CheckpointStoreException">It could not be removed.</exception>
    public void Delete(TaskId task, string file) => _files.Delete(task, file, CancellationToken.None);

    /// <summary>When a file was written, or read back; null: it is not here.</summary>
    public DateTimeOffset? KnownWholeAt(TaskId task, string file)
    {
        string path = _layout.FilePath(task, file);
        return File.Exists(path) ? File.GetLastWriteTimeUtc(path) : null;
    }

    /// <summary>Notes that it was read back.</summary>
    public void NoteWhole(TaskId task, string file, DateTimeOffset at)
    {
        try
        {
            File.SetLastWriteTimeUtc(_layout.FilePath(task, file), at.UtcDateTime);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // Removed meanwhile, or it is read back once more.
        }
    }

    /// <summary>Takes a file in: durable when it returns, or not there.</summary>
    /// <param name="task">The task.</param>
    /// <param name="file">Its name.</param>
    /// <param name="body">Its bytes, then their length and SHA-256 as <see cref="PeerProtocol.TrailerSize"/> says.</param>
    /// <param name="atMost">More bytes than this are refused.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="CheckpointStoreException">There is no room, or it could not be written.</exception>
    /// <exception cref="InvalidDataException">What came is not what was sent.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task ReceiveAsync(TaskId task, string file, Stream body, long atMost, CancellationToken cancellationToken)
    {
        string path = _layout.FilePath(task, file);
        string arriving = Path.Combine(Arrivals, $"{Path.GetFileName(path)}.{Path.GetRandomFileName()}");
        OrDescribe(
            task,
            () =>
            {
                _layout.Prepare(task, mayCreateStore: false);
                RequireRoom(atMost);
                Directory.CreateDirectory(Arrivals);
                return true;
            }
        );
        try
        {
            using (SafeFileHandle handle = OrDescribe(task, () => Create(arriving)))
            {
                await CopyAsync(task, body, handle, atMost, cancellationToken);
            }

            OrDescribe(
                task,
                () =>
                {
                    File.Move(arriving, path, overwrite: true);
                    DirectorySync.Sync(Path.GetDirectoryName(path)!);
                    return true;
                }
            );
        }
        finally
        {
            TryRemove(arriving);
        }
    }

    private static SafeFileHandle Create(string path) => File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);

    private static void TryRemove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // Removed with the next start.
        }
    }

    private async Task CopyAsync(TaskId task, Stream body, SafeFileHandle handle, long atMost, CancellationToken cancellationToken)
    {
        using IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = GC.AllocateUninitializedArray<byte>(PieceBytes + PeerProtocol.TrailerSize);
        (int filled, long length, long writtenBack) = (0, 0, 0);
        while (await body.ReadAsync(piece.AsMemory(filled), cancellationToken) is > 0 and int read)
        {
            filled += read;
            if (filled < piece.Length)
            {
                continue;
            }

            // The last bytes may be the trailer, and stay.
            Write(PieceBytes);
            piece.AsSpan(PieceBytes, PeerProtocol.TrailerSize).CopyTo(piece);
            filled = PeerProtocol.TrailerSize;
        }

        if (filled < PeerProtocol.TrailerSize)
        {
            throw new InvalidDataException("the body ends before its length and hash");
        }

        int rest = filled - PeerProtocol.TrailerSize;
        Write(rest);
        Check(piece.AsSpan(rest, PeerProtocol.TrailerSize), length, sha256.GetHashAndReset());
        OrDescribe(
            task,
            () =>
            {
                RandomAccess.FlushToDisk(handle);
                return true;
            }
        );

        void Write(int count)
        {
            if (length + count > atMost)
            {
                throw new InvalidDataException($"the body is longer than the {atMost} bytes that were announced");
            }

            OrDescribe(
                task,
                () =>
                {
                    RandomAccess.Write(handle, piece.AsSpan(0, count), length);
                    return true;
                }
            );
            sha256.AppendData(piece, 0, count);
            length += count;
            if (length - writtenBack >= WritebackEvery)
            {
                Writeback.Start(handle, writtenBack, length - writtenBack);
                writtenBack = length;
            }
        }
    }

    private static void Check(ReadOnlySpan<byte> trailer, long length, byte[] sha256)
    {
        long announced = BinaryPrimitives.ReadInt64LittleEndian(trailer);
        if (announced != length)
        {
            throw new InvalidDataException($"{length} bytes arrived of {announced}");
        }

        if (!trailer[sizeof(long)..].SequenceEqual(sha256))
        {
            throw new InvalidDataException("other bytes arrived than were sent: their SHA-256 is another");
        }
    }

    private void RequireRoom(long bytes)
    {
        long free = new DriveInfo(_layout.Root).AvailableFreeSpace;
        if (bytes > free - LeftFree)
        {
            throw new CheckpointStoreException(
                $"The disk of {_layout.Root} has no room for a copy of {bytes} bytes: {free} are free, of which {LeftFree} stay free. "
                    + "Free space there, or set actortrainer.checkpoints.path to a larger disk."
            );
        }
    }

    private T OrDescribe<T>(TaskId task, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Files of {task} are not to be had", _layout.TaskFolder(task), e);
        }
    }
}
