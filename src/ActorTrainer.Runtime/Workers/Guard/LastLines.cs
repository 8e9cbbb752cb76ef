using System.Text;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// The last lines of a stream of bytes, in memory that does not depend on how much comes: 20 lines, each cut at 400 characters.
/// A carriage return inside a line begins it anew, as on a terminal (progress bars).
/// </summary>
internal sealed class LastLines
{
    public const int MaxLines = 20;
    public const int MaxCharacters = 400;
    private const int MaxLineBytes = MaxCharacters * 4;

    /// <summary>Used again and again: what comes by the gigabyte leaves no garbage.</summary>
    private readonly byte[][] _lines = new byte[MaxLines][];
    private readonly int[] _lengths = new int[MaxLines];
    private readonly byte[] _open = new byte[MaxLineBytes];
    private int _count;
    private int _openLength;
    private bool _openReturned;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        // Only what can still be among the last lines is looked at: a gigabyte of short lines costs no more than one of long ones.
        int from = bytes.Length;
        for (int newlines = 0; newlines <= MaxLines && from >= 0; newlines++)
        {
            from = bytes[..from].LastIndexOf((byte)'\n');
        }

        if (from >= 0)
        {
            BeginLine();
            bytes = bytes[(from + 1)..];
        }

        while (!bytes.IsEmpty)
        {
            int newline = bytes.IndexOf((byte)'\n');
            Extend(newline < 0 ? bytes : bytes[..newline]);
            if (newline < 0)
            {
                return;
            }

            EndLine();
            bytes = bytes[(newline + 1)..];
        }
    }

    /// <summary>The lines, oldest first, with the one that has no newline yet.</summary>
    public IReadOnlyList<string> ToList()
    {
        List<string> lines = [];
        for (int i = Math.Max(0, _count - MaxLines); i < _count; i++)
        {
            lines.Add(Decode(_lines[i % MaxLines].AsSpan(0, _lengths[i % MaxLines])));
        }

        if (_openLength > 0)
        {
            lines.Add(Decode(_open.AsSpan(0, _openLength)));
        }

        return lines.Count > MaxLines ? lines[1..] : lines;
    }

    private void Extend(ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty)
        {
            return;
        }

        if (_openReturned)
        {
            BeginLine();
        }

        _openReturned = part[^1] == '\r';
        part = _openReturned ? part[..^1] : part;
        int carriageReturn = part.LastIndexOf((byte)'\r');
        if (carriageReturn >= 0)
        {
            _openLength = 0;
            part = part[(carriageReturn + 1)..];
        }

        part = part[..Math.Min(part.Length, MaxLineBytes - _openLength)];
        part.CopyTo(_open.AsSpan(_openLength));
        _openLength += part.Length;
    }

    private void EndLine()
    {
        int place = _count % MaxLines;
        if (_lines[place] is null || _lines[place].Length < _openLength)
        {
            _lines[place] = new byte[_openLength];
        }

        _open.AsSpan(0, _openLength).CopyTo(_lines[place]);
        _lengths[place] = _openLength;
        _count++;
        BeginLine();
    }

    private void BeginLine()
    {
        _openLength = 0;
        _openReturned = false;
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        return text.Length <= MaxCharacters ? text : text[..MaxCharacters];
    }
}
