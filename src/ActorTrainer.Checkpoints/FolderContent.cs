using ActorTrainer.Core.Queries;

namespace ActorTrainer.Checkpoints;

/// <summary>An open checkpoint of a folder store.</summary>
internal sealed class FolderContent(FolderReader reader, BufferPool pool) : ICheckpointContent
{
    public IReadOnlyList<CheckpointFile> Files { get; } =
    [.. reader.Manifest.Entries.Select(entry => new CheckpointFile(entry.Path, entry.Length, entry.Mode, entry.Modified, entry.Link))];

    /// <summary>Where it stands.</summary>
    public IStoreFiles Store => reader.Files;

    /// <summary>Into what files are cut, in bytes; the last chunk of each may be shorter.</summary>
    public int ChunkSize => reader.Manifest.ChunkSize;

    /// <summary>The names of a file's chunks: where they are the same, the bytes are.</summary>
    public string[] KeysOf(int file) => [.. reader.Manifest.Entries[file].Chunks.Select(chunk => chunk.Sha256)];

    /// <summary>Reads a chunk and hands its bytes over. Callable from several threads.</summary>
    /// <exception cref="CheckpointDamagedException">It is not what was saved.</exception>
    public void ReadChunk(int file, int chunk, Action<ReadOnlySpan<byte>> take)
    {
        ManifestEntry entry = reader.Manifest.Entries[file];
        int length = reader.LengthOf(entry, chunk);
        byte[] bytes = pool.Rent(length);
        try
        {
            reader.ReadChunk(entry, chunk, bytes);
            take(bytes.AsSpan(0, length));
        }
        finally
        {
            pool.Return(bytes);
        }
    }

    public Stream OpenFile(int index) => new EntryStream(reader, pool, reader.Manifest.Entries[index]);

    public void Dispose() => reader.Dispose();

    /// <summary>The chunks of one entry as one stream; holds one of them.</summary>
    private sealed class EntryStream(FolderReader reader, BufferPool pool, ManifestEntry entry) : Stream
    {
        private byte[] _chunk = pool.Rent(reader.Manifest.ChunkSize);
        private int _held = -1;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => entry.Length;

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            if (Position >= Length || buffer.Length == 0)
            {
                return 0;
            }

            int index = (int)(Position / reader.Manifest.ChunkSize);
            if (_held != index)
            {
                _held = -1;
                reader.ReadChunk(entry, index, _chunk);
                _held = index;
            }

            int at = (int)(Position % reader.Manifest.ChunkSize);
            int count = Math.Min(buffer.Length, reader.LengthOf(entry, index) - at);
            _chunk.AsSpan(at, count).CopyTo(buffer);
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
            if (_chunk.Length > 0)
            {
                pool.Return(_chunk);
                _chunk = [];
                _held = -1;
            }

            base.Dispose(disposing);
        }
    }
}
