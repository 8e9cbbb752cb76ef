using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints;

/// <summary>The one sequential writer of a save's pack. The file comes into being with its first chunk.</summary>
internal sealed class PackWriter(IStoreFiles files, TaskId task, string pack, TimeProvider time, CancellationToken cancellationToken)
    : IDisposable
{
    private IPackSink? _sink;

    /// <summary>Bytes written so far; 0: this writer made no file.</summary>
    public long Length { get; private set; }

    /// <summary>How long its writing has taken, to the disk.</summary>
    public TimeSpan Took { get; private set; }

    /// <summary>More bytes than this are not written. To be set before the first chunk.</summary>
    public long AtMost { get; set; } = long.MaxValue;

    /// <summary>The most that a pack has of states of this size: all of them stored as they are, in the smallest chunks.</summary>
    public static long MostFor(long stateBytes, int files) =>
        PackFormat.FileHeaderSize + stateBytes + (((stateBytes / ManifestFormat.SmallestChunk) + files) * PackFormat.RecordHeaderSize);

    /// <summary>Appends a record and returns where it begins.</summary>
    public long Append(ReadOnlyMemory<byte> record)
    {
        long began = time.GetTimestamp();
        if (_sink is null)
        {
            _sink = files.CreatePack(task, pack, AtMost, cancellationToken);
            Length = PackFormat.FileHeaderSize;
            _sink.Append(PackFormat.FileHeader);
        }

        long offset = Length;
        _sink.Append(record.Span);
        Length = offset + record.Length;
        Took += time.GetElapsedTime(began);
        return offset;
    }

    /// <summary>Makes it durable and checks the length.</summary>
    public void Finish()
    {
        long began = time.GetTimestamp();
        _sink?.Finish(Length);
        Took += time.GetElapsedTime(began);
    }

    public void Dispose() => _sink?.Dispose();
}
