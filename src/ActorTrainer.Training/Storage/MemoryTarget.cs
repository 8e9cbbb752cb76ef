using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Storage;

/// <summary>A state in memory that is shared with the node: files are lists of places in it.</summary>
internal sealed class MemoryTarget(MemoryArea area) : StateTarget
{
    private readonly List<Entry> _entries = [];
    private readonly List<Stream> _streams = [];

    /// <summary>What stands where.</summary>
    /// <remarks>Of a stream that its trainer has not closed, it is what was written by now.</remarks>
    public IReadOnlyList<StagedFile> Files
    {
        get
        {
            _streams.ForEach(stream => stream.Flush());
            return [.. _entries.Select(entry => new StagedFile(entry.Path, [.. entry.Extents]))];
        }
    }

    public override Stream Create(string path)
    {
        Entry entry = Add(path);
        EntryStream stream = new(bytes => entry.Append(area, bytes));
        _streams.Add(stream);
        return stream;
    }

    public override TensorFile CreateTensors(string path) => new Tensors(area, Add(path));

    private Entry Add(string path)
    {
        Entry entry = new(path);
        _entries.Add(entry);
        return entry;
    }

    private sealed class Entry(string path)
    {
        public string Path => path;

        /// <summary>Offsets and lengths in turns.</summary>
        public List<long> Extents { get; } = [];

        public void Append(MemoryArea area, ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length == 0)
            {
                return;
            }

            long offset = area.Append(bytes);
            if (Extents.Count > 0 && Extents[^2] + Extents[^1] == offset)
            {
                Extents[^1] += bytes.Length;
            }
            else
            {
                Extents.AddRange([offset, bytes.Length]);
            }
        }
    }

    private sealed class Tensors(MemoryArea area, Entry entry) : TensorFile
    {
        public override void Append(ReadOnlySpan<byte> bytes) => entry.Append(area, bytes);

        public override void Complete(ReadOnlySpan<byte> header) => entry.Extents.InsertRange(0, [area.Append(header), header.Length]);

        public override void Dispose() { }
    }

    private delegate void Sink(ReadOnlySpan<byte> bytes);

    /// <summary>Small pieces are gathered: each one that is appended is a call of the system.</summary>
    private sealed class EntryStream(Sink append) : Stream
    {
        private const int Gathered = 1 << 16;

        private byte[] _gathered = [];
        private int _count;
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position
        {
            get => _length;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _length += buffer.Length;
            if (_count + buffer.Length > Gathered)
            {
                Flush();
            }

            if (buffer.Length >= Gathered)
            {
                append(buffer);
                return;
            }

            if (_gathered.Length == 0)
            {
                _gathered = new byte[Gathered];
            }

            buffer.CopyTo(_gathered.AsSpan(_count));
            _count += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            append(_gathered.AsSpan(0, _count));
            _count = 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                Flush();
            }

            base.Dispose(disposing);
        }
    }
}
