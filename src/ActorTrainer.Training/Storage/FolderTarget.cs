using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Training.Storage;

/// <summary>A state in a folder, which is made when it is missing.</summary>
internal sealed class FolderTarget : StateTarget
{
    private readonly string _directory;

    public FolderTarget(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        _directory = directory;
        _ = Directory.CreateDirectory(directory);
    }

    public override Stream Create(string path)
    {
        string full = Path.Combine(_directory, path);
        if (path.Contains('/', StringComparison.Ordinal))
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        }

        return new FileStream(full, FileMode.CreateNew, FileAccess.Write, FileShare.None, 4096);
    }

    public override TensorFile CreateTensors(string path) => new DiskTensors(Path.Combine(_directory, path));

    /// <summary>The header's place is reserved. A larger header moves the data once, at the end.</summary>
    private sealed class DiskTensors(string path) : TensorFile
    {
        private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        private long _length;

        public override void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(_file, bytes, ReservedBytes + _length);
            _length += bytes.Length;
        }

        public override void Complete(ReadOnlySpan<byte> header)
        {
            if (header.Length > ReservedBytes)
            {
                MoveData(header.Length);
            }

            RandomAccess.Write(_file, header, 0);
        }

        public override void Dispose() => _file.Dispose();

        // From the end to the front, because the two places overlap.
        private void MoveData(int newStart)
        {
            byte[] block = new byte[1 << 20];
            using DiskContent data = new(_file, path);
            long left = _length;
            while (left > 0)
            {
                int size = (int)Math.Min(block.Length, left);
                left -= size;
                data.Read(block.AsSpan(0, size), ReservedBytes + left);
                RandomAccess.Write(_file, block.AsSpan(0, size), newStart + left);
            }
        }
    }
}
