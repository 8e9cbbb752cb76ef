using System.Globalization;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// Writes a run's output into files of bounded size: <c>output.log</c>, then <c>output-2-START.log</c>, <c>output-3-START.log</c> …, of
/// which the last two are kept. START is how much was written before, so that a reader knows what is not kept. A file never changes its
/// name, so that a reader that follows can not lose its place.
/// </summary>
/// <remarks>A disk that is full costs output, never the run: what can not be written is dropped and counted.</remarks>
internal sealed class OutputLog : IDisposable
{
    private const UnixFileMode ReadAndWrite =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite;

    private readonly string _directory;
    private readonly long _fileMaxBytes;
    private FileStream? _file;
    private string _before = "";
    private long _start;
    private long _written;
    private long _length;
    private int _number;
    private bool _atLineStart = true;

    /// <param name="directory">Where the files are.</param>
    /// <param name="maxBytes">How much is kept.</param>
    /// <param name="goesOn">Whether it goes on behind files that are there, of what was run before in the run's place.</param>
    public OutputLog(string directory, long maxBytes, bool goesOn = false)
    {
        _directory = directory;
        _fileMaxBytes = Math.Max(4096, maxBytes / 2);
        if (goesOn && NewestOf(directory) is { } newest)
        {
            _number = NumberOf(newest.Name);
            _start = StartOf(newest.Name) ?? 0;
            _written = _start + newest.Length;
        }
    }

    /// <summary>Bytes that could not be written.</summary>
    public long DroppedBytes { get; private set; }

    /// <summary>The name of the n-th file of a run, from 1, before which so many bytes were written.</summary>
    public static string FileName(int number, long start) =>
        number == 1 ? "output.log" : string.Create(CultureInfo.InvariantCulture, $"output-{number}-{start}.log");

    /// <summary>The number of an output file, or 0 when the name is not one.</summary>
    public static int NumberOf(string fileName) => Parse(fileName).Number;

    /// <summary>How much was written before an output file; null: its name does not say.</summary>
    public static long? StartOf(string fileName) => Parse(fileName).Start;

    /// <summary>The number of the newest output file in a folder; 0: there is none.</summary>
    public static int LastNumber(string directory) => NewestOf(directory) is { } newest ? NumberOf(newest.Name) : 0;

    private static FileInfo? NewestOf(string directory) =>
        new DirectoryInfo(directory).EnumerateFiles("output*.log").MaxBy(file => NumberOf(file.Name));

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
            _written += part.Length;
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
            if (_before.Length > 0)
            {
                File.Delete(Path.Combine(_directory, _before));
            }

            FileStream next = Create(Path.Combine(_directory, FileName(_number + 1, _written)));
            _file?.Dispose();
            _before = _number == 0 ? "" : FileName(_number, _start);
            _file = next;
            _start = _written;
            _number++;
            _length = 0;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Before files said where they start, they were <c>output-2.log</c>, <c>output-3.log</c> ….</summary>
    private static (int Number, long? Start) Parse(string fileName)
    {
        if (fileName == "output.log")
        {
            return (1, 0);
        }

        string[] parts = fileName.EndsWith(".log", StringComparison.Ordinal) ? fileName[..^4].Split('-') : [];
        if (
            parts.Length is not (2 or 3)
            || parts[0] != "output"
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || number < 2
        )
        {
            return (0, null);
        }

        return parts.Length == 2 ? (number, null)
            : long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long start) ? (number, start)
            : (0, null);
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
            File.SetUnixFileMode(file.SafeFileHandle, File.GetUnixFileMode(_directory) & ReadAndWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file system without modes.
        }

        return file;
    }
}
