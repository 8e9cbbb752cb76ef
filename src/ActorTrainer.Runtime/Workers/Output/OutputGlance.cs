using System.Buffers;
using System.Text;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Output;

/// <summary>
/// Looks at what a run has printed since the last look. Of much only the newest: a run that prints without end costs no more than one that
/// prints a little.
/// </summary>
/// <param name="directory">Where the run's output files are.</param>
/// <param name="after">The number of the last file that was there before the run, and is not its own.</param>
internal sealed class OutputGlance(string directory, int after = 0)
{
    internal const int MostBytes = 64 << 10;
    internal const int MostLines = 128;
    private const int LongestLineBytes = 12 << 10;

    private int _number;
    private long _position;
    private long _length;

    /// <summary>The lines, oldest first; a carriage return ends one, too. Empty when there is nothing new, or nothing to read.</summary>
    /// <param name="ending">Whether nothing more comes, so that what has no end yet is a line as well.</param>
    public IReadOnlyList<string> Look(bool ending)
    {
        try
        {
            string? path = Directory.Exists(directory)
                ? Directory.EnumerateFiles(directory, "output*.log").MaxBy(path => OutputLog.NumberOf(Path.GetFileName(path)))
                : null;
            if (path is null || OutputLog.NumberOf(Path.GetFileName(path)) is not (> 0 and var newest) || newest <= after)
            {
                return [];
            }

            if (newest != _number)
            {
                (_number, _position, _length) = (newest, 0, 0);
            }

            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            long length = file.Length;
            if (length == _length && !ending)
            {
                return [];
            }

            _length = length;
            return Read(file, length, ending);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Rotated away at this moment, or the folder is gone: the next look finds what there is.
            return [];
        }
    }

    private List<string> Read(FileStream file, long length, bool ending)
    {
        long from = Math.Max(_position, length - MostBytes);
        bool cut = from > _position;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MostBytes);
        try
        {
            int count = 0;
            file.Position = from;
            for (int read = 1; read > 0 && count < Math.Min(MostBytes, length - from); count += read)
            {
                read = file.Read(buffer, count, (int)Math.Min(MostBytes, length - from) - count);
            }

            ReadOnlySpan<byte> text = buffer.AsSpan(0, count);
            int end = text.LastIndexOfAny((byte)'\n', (byte)'\r') + 1;
            ReadOnlySpan<byte> open = text[end..];
            _position = open.Length > LongestLineBytes ? length : from + end;
            List<string> lines = [];

            // A bar has no line's end until the next one follows; whether it is all there shows in its last character.
            if (ending || open.TrimEnd((byte)' ').EndsWith("]"u8))
            {
                Add(lines, open);
            }

            Split(text[..end], cut, lines);
            lines.Reverse();
            return lines;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>From the newest back.</summary>
    private static void Split(ReadOnlySpan<byte> text, bool cut, List<string> lines)
    {
        while (!text.IsEmpty && lines.Count < MostLines)
        {
            text = text[..^1];
            int before = text.LastIndexOfAny((byte)'\n', (byte)'\r');
            if (before < 0 && cut)
            {
                return;
            }

            Add(lines, text[(before + 1)..]);
            text = text[..(before + 1)];
        }
    }

    private static void Add(List<string> lines, ReadOnlySpan<byte> line)
    {
        if (line.Length is > 0 and <= LongestLineBytes)
        {
            lines.Add(Encoding.UTF8.GetString(line));
        }
    }
}
