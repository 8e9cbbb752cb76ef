using System.Globalization;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// Writes a run's output into files of bounded size: <c>output.log</c>, then <c>output-2.log</c>, <c>output-3.log</c> …, of which the
/// last two are kept. A file never changes its name, so that a reader that follows can not lose its place.
/// </summary>
/// <remarks>A disk that is full costs output, never the run: what can not be written is dropped and counted.</remarks>
internal sealed class OutputLog(string directory, long maxBytes) : IDisposable
{
    private const UnixFileMode ReadAndWrite =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite;

    private readonly long _fileMaxBytes = Math.Max(4096, maxBytes / 2);
    private FileStream? _file;
    private long _length;
    private int _number = LastNumber(directory);
    private bool _atLineStart = true;

    /// <summary>Bytes that could not be written.</summary>
    public long DroppedBytes { get; private set; }

    /// <summary>The name of the n-th file of a run, from 1.</summary>
    public static string FileName(int number) =>
        number == 1 ? "output.log" : string.Create(CultureInfo.InvariantCulture, $"output-{number}.log");

    /// <summary>The number of an output file, or 0 when the name is not one.</summary>
    public static int NumberOf(string fileName) =>
        fileName == "output.log" ? 1
        : fileName.StartsWith("output-", StringComparison.Ordinal)
        && fileName.EndsWith(".log", StringComparison.Ordinal)
        && int.TryParse(fileName.AsSpan()[7..^4], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && number > 1
            ? number
        : 0;

    /// <summary>What was run before in the place of the run's own process has left its output, which is gone on from.</summary>
    private static int LastNumber(string directory) =>
        Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory, "output*.log").Select(path => NumberOf(Path.GetFileName(path))).DefaultIfEmpty(0).Max()
            : 0;

    /// <summary>Writes bytes; a new file is begun after a newline where there is one.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int room = (int)Math.Min(int.MaxValue, _fileMaxBytes - _length);
            if (_file is null || room <= 0)
            {
                if (!TryOpenNext())
                {
                    DroppedBytes += bytes.Length;
                    return;
                }

                continue;
            }

            ReadOnlySpan<byte> part = bytes;
            bool full = bytes.Length > room;
            if (full)
            {
                int newline = bytes[..room].LastIndexOf((byte)'\n');
                // A line that begins here goes into the next file whole, unless it would not fit into an empty one.
                part =
                    newline >= 0 ? bytes[..(newline + 1)]
                    : _atLineStart && _length > 0 ? []
                    : bytes[..room];
            }

            WritePart(part);
            _atLineStart = part.IsEmpty ? _atLineStart : part[^1] == '\n';
            bytes = bytes[part.Length..];
            _length = full ? _fileMaxBytes : _length;
        }
    }

    public void Dispose() => _file?.Dispose();

    private void WritePart(ReadOnlySpan<byte> part)
    {
        try
        {
            _file!.Write(part);
            _length += part.Length;
        }
        catch (IOException)
        {
            DroppedBytes += part.Length;
        }
    }

    private bool TryOpenNext()
    {
        try
        {
            if (_number >= 2)
            {
                File.Delete(Path.Combine(directory, FileName(_number - 1)));
            }

            FileStream next = Create(Path.Combine(directory, FileName(_number + 1)));
            _file?.Dispose();
            _file = next;
            _number++;
            _length = 0;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private FileStream Create(string path)
    {
        // The buffer is the caller's: what a worker printed is readable at once.
        FileStreamOptions options = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (OperatingSystem.IsWindows())
        {
            return new FileStream(path, options);
        }

        // As open as its folder, and not as the umask says: that may be the one of a process which is started at this moment.
        options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        FileStream file = new(path, options);
        try
        {
            File.SetUnixFileMode(file.SafeFileHandle, File.GetUnixFileMode(directory) & ReadAndWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file system without modes.
        }

        return file;
    }
}
