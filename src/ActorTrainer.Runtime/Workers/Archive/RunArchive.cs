using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Runtime.Workers.Archive;

/// <summary>Brings what is new of one run's output to the store, in pieces of which the newest grows until it is long enough.</summary>
/// <remarks>
/// Of more than <paramref name="maxBytes"/> the middle is dropped: the first piece has what a program says of itself, the last ones why
/// it ended.
/// </remarks>
/// <param name="outputs">The store.</param>
/// <param name="key">The run.</param>
/// <param name="maxBytes">So much of it is kept, uncompressed.</param>
internal sealed class RunArchive(FolderOutputs outputs, OutputKey key, long maxBytes)
{
    private readonly int _longest = (int)Math.Clamp(maxBytes / 8, 4 << 10, FolderOutputs.LongestSegment);
    private readonly HashSet<OutputSegment> _written = [];
    private List<OutputSegment>? _segments;
    private long _position;

    /// <summary>Stores what is new. Nothing new: nothing is read or written.</summary>
    /// <param name="files">The run's files as they are now.</param>
    /// <param name="at">The time at which they were looked at.</param>
    /// <param name="ended">Whether no more comes: then it is durable, and marked as complete, when the call returns.</param>
    /// <param name="mayCreateStore">Whether a store that is not there is to be made.</param>
    /// <exception cref="Checkpoints.CheckpointStoreException">The store cannot be written now.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <returns>Whether the run is complete in the store; never for one that has not ended.</returns>
    public bool Store(IReadOnlyList<PlacedFile> files, DateTimeOffset at, bool ended, bool mayCreateStore)
    {
        long end = files.Count > 0 ? files[^1].End : 0;
        if (end == _position && !ended)
        {
            return false;
        }

        if (_segments is null)
        {
            // A former life of the node may have begun it.
            StoredRun? stored = outputs.Find(key);
            _segments = [.. stored?.Segments ?? []];
            _position = _segments.Count > 0 ? _segments[^1].End : 0;
            if (stored?.Total is not null)
            {
                return true;
            }
        }

        while (_position < end && StoreOne(files, end, at, mayCreateStore))
        {
            // Until there is nothing new, or it was removed before it was read: then the files are looked at again.
        }

        if (!ended)
        {
            return false;
        }

        if (_position < end)
        {
            throw new IOException($"the output files of {key} are shorter than they were a moment ago");
        }

        // The files may have been removed before the store could be reached: then it is not complete, and never will be.
        if (_position > end)
        {
            return false;
        }

        outputs.Complete(key, end, [.. _written], mayCreateStore);
        return true;
    }

    /// <summary>False: what comes next is not in the files any more.</summary>
    private bool StoreOne(IReadOnlyList<PlacedFile> files, long end, DateTimeOffset at, bool mayCreateStore)
    {
        _position = Math.Max(_position, files[0].Start);
        OutputSegment? last = _segments!.Count > 0 ? _segments[^1] : null;

        // The newest piece is read once more, as long as it is short and its beginning is still in the files.
        OutputSegment? grown =
            last is { } newest && newest.End == _position && newest.Length < _longest && newest.Start >= files[0].Start ? last : null;
        long start = grown?.Start ?? _position;
        byte[] content = Read(files, start, Math.Min(end, start + _longest));
        OutputSegment segment = new(start, start + content.Length, at);
        if (segment.End <= _position)
        {
            return false;
        }

        outputs.Write(key, segment, content, grown, mayCreateStore);
        if (grown is { } shorter)
        {
            _segments!.RemoveAt(_segments.Count - 1);
            _ = _written.Remove(shorter);
        }

        _segments!.Add(segment);
        _ = _written.Add(segment);
        _position = segment.End;
        KeepBound();
        return true;
    }

    private void KeepBound()
    {
        long bytes = _segments!.Sum(segment => segment.Length);
        List<OutputSegment> middle = [];
        for (int i = 1; i < _segments!.Count - 1 && bytes > maxBytes; i++)
        {
            middle.Add(_segments[i]);
            bytes -= _segments[i].Length;
        }

        if (middle.Count > 0)
        {
            outputs.Remove(key, middle);
            _segments.RemoveRange(1, middle.Count);
            _written.ExceptWith(middle);
        }
    }

    /// <summary>The bytes between two places, or those up to the next that is not kept.</summary>
    private static byte[] Read(IReadOnlyList<PlacedFile> files, long start, long end)
    {
        byte[] content = new byte[end - start];
        int length = 0;
        foreach (PlacedFile file in files)
        {
            long at = start + length;
            if (at < file.Start || at >= file.End || at >= end)
            {
                continue;
            }

            using FileStream? open = file.TryOpen();
            open?.Seek(at - file.Start, SeekOrigin.Begin);
            int wanted = (int)(Math.Min(end, file.End) - at);
            length += open?.ReadAtLeast(content.AsSpan(length, wanted), wanted, throwOnEndOfStream: false) ?? 0;
        }

        return length == content.Length ? content : content[..length];
    }
}
