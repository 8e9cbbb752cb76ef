using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Outputs;

/// <summary>
/// The output of runs beside the checkpoints, in pieces: <c>output/TASK/TERM-RUN-NODE/START-END.gz</c>, and <c>end-TOTAL</c> once it is
/// complete. A run's folder is written by its node alone. The newest piece grows: a longer one takes its place.
/// </summary>
/// <param name="model">The folder of the store.</param>
internal sealed class FolderOutputs(CheckpointStoreModel model)
{
    private const string Suffix = ".gz";
    private const string EndPrefix = "end-";

    /// <summary>A gzip file ends with how long it is unpacked; what unpacks it does not miss that.</summary>
    private const int LengthSize = sizeof(uint);

    private readonly FolderLayout _layout = new(model.Path);

    /// <summary>The longest piece, uncompressed: what is read, or written anew, at once.</summary>
    public const int LongestSegment = 256 << 10;

    /// <summary>Whether the store is there to be written to.</summary>
    public bool IsThere => File.Exists(_layout.MarkerPath);

    /// <summary>What is here of a task's runs, by term, run and node.</summary>
    /// <exception cref="CheckpointStoreException">The store cannot be read now.</exception>
    public IReadOnlyList<StoredRun> List(TaskId task)
    {
        string folder = _layout.OutputFolder(task);
        return Reading(
            folder,
            () =>
            {
                if (!Directory.Exists(folder))
                {
                    return [];
                }

                IEnumerable<OutputKey?> keys = Directory.EnumerateDirectories(folder).Select(path => OutputKey.Parse(task, NameOf(path)));
                return (IReadOnlyList<StoredRun>)
                    [
                        .. keys.OfType<OutputKey>()
                            .OrderBy(key => (key.Term, key.Run))
                            .ThenBy(key => key.Node)
                            .Select(key => Look(key))
                            .OfType<StoredRun>(),
                    ];
            }
        );
    }

    /// <summary>What is here of one run; null: nothing.</summary>
    /// <exception cref="CheckpointStoreException">The store cannot be read now.</exception>
    public StoredRun? Find(OutputKey key) => Reading(FolderOf(key), () => Look(key));

    /// <summary>The bytes of a piece, all of them.</summary>
    /// <exception cref="CheckpointDamagedException">It is damaged.</exception>
    /// <exception cref="CheckpointStoreException">It cannot be read now, or is not there any more: a longer one may be.</exception>
    public byte[] Read(OutputKey key, OutputSegment segment)
    {
        string path = Path.Combine(FolderOf(key), NameOf(segment));
        try
        {
            byte[] content = new byte[segment.Length];
            byte[] stored = File.ReadAllBytes(path);
            if (stored.Length < LengthSize || BinaryPrimitives.ReadUInt32LittleEndian(stored.AsSpan(^LengthSize..)) != segment.Length)
            {
                throw new InvalidDataException("its end is missing");
            }

            using GZipStream unpacked = new(new MemoryStream(stored), CompressionMode.Decompress);
            unpacked.ReadExactly(content);

            // The check sum stands behind the last byte.
            return unpacked.ReadByte() < 0 ? content : throw new InvalidDataException("it has more bytes than its name says");
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new CheckpointDamagedException($"{path} is damaged: {e.Message}", e);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Output of {key} could not be read", path, e);
        }
    }

    /// <summary>Stores a piece; whole or not at all. It outlives a power cut once the run is complete.</summary>
    /// <param name="key">The run.</param>
    /// <param name="segment">Its place and time.</param>
    /// <param name="content">Its bytes, from the first.</param>
    /// <param name="replaced">The shorter piece whose place it takes; null: none.</param>
    /// <param name="mayCreateStore">False: a store that is not there is a disk that is not mounted.</param>
    /// <exception cref="CheckpointStoreException">It could not be written.</exception>
    public void Write(OutputKey key, OutputSegment segment, ReadOnlySpan<byte> content, OutputSegment? replaced, bool mayCreateStore)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.Length, segment.Length);
        string path = Path.Combine(FolderOf(key), NameOf(segment));
        string temporary = path + FolderLayout.TemporarySuffix;
        try
        {
            _layout.PrepareOutput(key.Task, key.FolderName, mayCreateStore);
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
            using (GZipStream packed = new(file, CompressionLevel.Fastest))
            {
                packed.Write(content);
            }

            File.SetLastWriteTimeUtc(temporary, segment.At.UtcDateTime);
            File.Move(temporary, path, overwrite: true);
            if (replaced is { } shorter && shorter.End != segment.End)
            {
                File.Delete(Path.Combine(FolderOf(key), NameOf(shorter)));
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            TryDelete(temporary);
            throw StoreErrors.Describe($"Output of {key} could not be stored", path, e);
        }
    }

    /// <summary>Makes pieces durable, and says that no more come.</summary>
    /// <param name="key">The run, which has ended.</param>
    /// <param name="total">How many bytes it printed.</param>
    /// <param name="written">The pieces.</param>
    /// <param name="mayCreateStore">As for writing.</param>
    /// <exception cref="CheckpointStoreException">It could not be written.</exception>
    public void Complete(OutputKey key, long total, IReadOnlyList<OutputSegment> written, bool mayCreateStore)
    {
        string path = Path.Combine(FolderOf(key), string.Create(CultureInfo.InvariantCulture, $"{EndPrefix}{total}"));
        try
        {
            _layout.PrepareOutput(key.Task, key.FolderName, mayCreateStore);
            foreach (OutputSegment segment in written)
            {
                using FileStream piece = new(Path.Combine(FolderOf(key), NameOf(segment)), FileMode.Open, FileAccess.Write);
                piece.Flush(flushToDisk: true);
            }

            using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
            if (written.Count > 0)
            {
                DirectorySync.Sync(FolderOf(key));
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"The end of the output of {key} could not be stored", path, e);
        }
    }

    /// <summary>Removes pieces; those that are gone are passed over.</summary>
    /// <exception cref="CheckpointStoreException">One could not be removed.</exception>
    public void Remove(OutputKey key, IEnumerable<OutputSegment> segments)
    {
        try
        {
            foreach (OutputSegment segment in segments)
            {
                File.Delete(Path.Combine(FolderOf(key), NameOf(segment)));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with the task.
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Old output of {key} could not be removed", FolderOf(key), e);
        }
    }

    /// <summary>Removes all output of a task.</summary>
    /// <exception cref="CheckpointStoreException">It could not be removed.</exception>
    public void RemoveTask(TaskId task)
    {
        string folder = _layout.OutputFolder(task);
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It printed nothing, or the store is away.
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"The output of {task} could not be removed", folder, e);
        }
    }

    private StoredRun? Look(OutputKey key)
    {
        DirectoryInfo folder = new(FolderOf(key));
        if (!folder.Exists)
        {
            return null;
        }

        List<OutputSegment> found = [];
        long? total = null;
        foreach (FileInfo file in folder.EnumerateFiles())
        {
            if (ParseSegment(file) is { } segment)
            {
                found.Add(segment);
            }
            else if (
                file.Name.StartsWith(EndPrefix, StringComparison.Ordinal) && TryParse(file.Name.AsSpan(EndPrefix.Length), out long end)
            )
            {
                total = Math.Max(total ?? 0, end);
            }
        }

        // Where a writer was cut off between writing a longer piece and removing the shorter one, both stand there.
        List<OutputSegment> segments = [];
        foreach (OutputSegment segment in found.OrderBy(segment => segment.Start).ThenByDescending(segment => segment.End))
        {
            if (segments.Count == 0 || segment.Start >= segments[^1].End)
            {
                segments.Add(segment);
            }
        }

        return new StoredRun(key, segments, total);
    }

    private static OutputSegment? ParseSegment(FileInfo file)
    {
        string[] parts = file.Name.EndsWith(Suffix, StringComparison.Ordinal) ? file.Name[..^Suffix.Length].Split('-') : [];
        return
            parts.Length == 2
            && TryParse(parts[0], out long start)
            && TryParse(parts[1], out long end)
            && end > start
            && end - start <= LongestSegment
            ? new OutputSegment(start, end, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero))
            : null;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static T Reading<T>(string folder, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe("Output could not be looked for", folder, e);
        }
    }

    private string FolderOf(OutputKey key) => Path.Combine(_layout.OutputFolder(key.Task), key.FolderName);

    private static string NameOf(string path) => Path.GetFileName(path);

    /// <summary>With leading zeros, so that a listing, and <c>zcat *.gz</c>, has them in order.</summary>
    private static string NameOf(OutputSegment segment) =>
        string.Create(CultureInfo.InvariantCulture, $"{segment.Start:D12}-{segment.End:D12}{Suffix}");

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // Written over when the piece is stored again.
        }
    }
}
