using ActorTrainer.Training.Protocol;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Training.Storage;

/// <summary>The files of a state that is read.</summary>
internal abstract class StateFiles : IDisposable
{
    /// <summary>Whether there is such a file.</summary>
    /// <param name="path">Relative, with <c>/</c>.</param>
    public abstract bool Contains(string path);

    /// <summary>Opens a file that is there, to be read at any place.</summary>
    public abstract StateContent Open(string path);

    public abstract void Dispose();
}

/// <summary>The bytes of one file.</summary>
internal abstract class StateContent : IDisposable
{
    /// <summary>How errors call it.</summary>
    public abstract string Name { get; }

    public abstract long Length { get; }

    /// <summary>Fills the target from an offset on.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public abstract void Read(Span<byte> target, long offset);

    public abstract void Dispose();

    /// <summary>The file as a stream, which owns it.</summary>
    public Stream AsStream() => new ContentStream(this);

    private sealed class ContentStream(StateContent content) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => content.Length;

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            int count = (int)Math.Clamp(Length - Position, 0, buffer.Length);
            content.Read(buffer[..count], Position);
            Position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override long Seek(long offset, SeekOrigin origin) =>
            Position =
                offset
                + origin switch
                {
                    SeekOrigin.Begin => 0,
                    SeekOrigin.Current => Position,
                    _ => Length,
                };

        public override void Flush() { }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            content.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>A state in a folder.</summary>
internal sealed class FolderFiles(string directory) : StateFiles
{
    public override bool Contains(string path) => File.Exists(Path.Combine(directory, path));

    public override StateContent Open(string path)
    {
        string full = Path.Combine(directory, path);
        return new DiskContent(File.OpenHandle(full, FileMode.Open, FileAccess.Read, FileShare.Read), full, owned: true);
    }

    public override void Dispose() { }
}

/// <summary>A file on disk.</summary>
internal sealed class DiskContent(SafeFileHandle file, string path, bool owned = false) : StateContent
{
    public override string Name => path;

    public override long Length => RandomAccess.GetLength(file);

    public override void Read(Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            int read = RandomAccess.Read(file, target, offset);
            if (read == 0)
            {
                throw new EndOfStreamException($"the file ends at byte {offset}, {target.Length} bytes early.");
            }

            target = target[read..];
            offset += read;
        }
    }

    public override void Dispose()
    {
        if (owned)
        {
            file.Dispose();
        }
    }
}

/// <summary>
/// A state in memory that the node shares. It is read, not mapped: of a mapping that is new every page costs more than its copy, and the
/// state is read once.
/// </summary>
internal sealed class MemoryFiles : StateFiles
{
    private readonly Dictionary<string, StagedFile> _files;
    private readonly SafeFileHandle _memory;

    /// <summary>Opens it.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="InvalidDataException">A file is said to stand where there is no memory.</exception>
    public MemoryFiles(MemoryState state)
    {
        _memory = File.OpenHandle(state.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        long length = RandomAccess.GetLength(_memory);
        _files = state.Files.ToDictionary(file => file.Path, StringComparer.Ordinal);
        if (_files.Values.FirstOrDefault(file => !file.IsWithin(length)) is { } outside)
        {
            _memory.Dispose();
            throw new InvalidDataException($"'{outside.Path}' is said to stand outside of a memory of {length} bytes.");
        }
    }

    public override bool Contains(string path) => _files.ContainsKey(path);

    public override StateContent Open(string path) => new Content(_memory, _files[path]);

    public override void Dispose() => _memory.Dispose();

    private static void Read(SafeFileHandle memory, Span<byte> target, long at) =>
        ManyThreads.Do(target, (part, offset) => ReadAll(memory, part, at + offset));

    private static void ReadAll(SafeFileHandle memory, Span<byte> target, long at)
    {
        while (target.Length > 0)
        {
            int read = RandomAccess.Read(memory, target, at);
            if (read == 0)
            {
                throw new EndOfStreamException($"the memory ends at byte {at}, {target.Length} bytes early.");
            }

            target = target[read..];
            at += read;
        }
    }

    private sealed class Content(SafeFileHandle memory, StagedFile file) : StateContent
    {
        public override string Name => file.Path;

        public override long Length { get; } = file.Length;

        public override void Read(Span<byte> target, long offset)
        {
            for (int i = 0; i < file.Extents.Count && target.Length > 0; i += 2)
            {
                long length = file.Extents[i + 1];
                if (offset < length)
                {
                    int count = (int)Math.Min(target.Length, length - offset);
                    MemoryFiles.Read(memory, target[..count], file.Extents[i] + offset);
                    target = target[count..];
                    offset = 0;
                }
                else
                {
                    offset -= length;
                }
            }

            if (target.Length > 0)
            {
                throw new EndOfStreamException($"'{file.Path}' ends {target.Length} bytes early.");
            }
        }

        // The memory is its owner's.
        public override void Dispose() { }
    }
}
