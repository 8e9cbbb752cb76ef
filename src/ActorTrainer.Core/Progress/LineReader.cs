using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ActorTrainer.Core.Progress;

/// <summary>Reads one line of output of a script that nothing is known of. What is unclear says nothing.</summary>
internal static class LineReader
{
    /// <summary>Longer lines are not looked at, in characters.</summary>
    public const int LongestLine = 4096;

    private const int MostPrefixes = 8;
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    private static readonly SearchValues<string> Hints = SearchValues.Create(
        ["step", "it", "epoch", "batch", "loss", "acc", "lr", "update", "ppl", "train", "%|", "━", "=", "reward", "rate", "norm", "/"],
        StringComparison.OrdinalIgnoreCase
    );

    /// <summary>Which of several processes it is. A bare number does not tell: it may as well count something.</summary>
    private static readonly Regex Rank = new(
        @"^[\[(]?(local_|global_)?(rank|default|gpu|proc|process|worker|node|device)[\s:_#=-]*(?<rank>[0-9]{1,6})(/\d+)?"
            + @"(\s*[\])]\s*:?|\s*[:|-]\s|\s)",
        Linear | RegexOptions.IgnoreCase
    );

    private static readonly Regex Time = new(
        @"^(\[?\d{4}[-/]\d\d[-/]\d\d([T ]\d\d:\d\d:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?\]?|\[?\d\d:\d\d:\d\d([.,]\d+)?\]?"
            + @"|\[\d\d/\d\d \d\d:\d\d:\d\d [\w.]+\]:|I\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.]+:\d+\])(\s|\[|$)",
        Linear
    );

    private static readonly Regex Level = new(
        @"^\[?(DEBUG|INFO|NOTICE)\]?(:[\w.]+:|\s*\|\s*[\w.:<>]+\s+-\s|\s*\|\s*\w+\s*\||\s|:|\||-|$)",
        Linear
    );

    private static readonly Regex Logger = new(@"^[A-Za-z_][\w.]*(:\d+)? - ", Linear);

    private static readonly Regex Tag = new(@"^\[[A-Za-z_][\w.]*\]:?", Linear);

    /// <summary>What the line says; null: nothing.</summary>
    public static LineReading? Read(string line)
    {
        if (line.Length > LongestLine || !line.AsSpan().ContainsAny(Hints) || !line.AsSpan().ContainsAnyInRange('0', '9'))
        {
            return null;
        }

        string text = Plain(line);
        int? rank = null;
        for (int i = 0; i < MostPrefixes; i++)
        {
            text = text.TrimStart(' ', '\t', '-', '|', ':');
            if (Prefix(text, ref rank) is not { } length)
            {
                return null;
            }

            if (length == 0)
            {
                break;
            }

            text = text[length..];
        }

        LineReading? reading = ReadContent(text.Trim());
        return reading is null ? null : reading with { Rank = rank };
    }

    /// <summary>The text of a line without escape sequences and what was taken back.</summary>
    public static string Plain(string line)
    {
        if (line.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0)
        {
            return line;
        }

        StringBuilder plain = new(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (c == '\e')
            {
                i = EndOfEscape(line, i);
            }
            else if (c == '\b')
            {
                plain.Length = Math.Max(0, plain.Length - 1);
            }
            else if (c >= ' ' || c == '\t')
            {
                _ = plain.Append(c);
            }
        }

        return plain.ToString();
    }

    private static int EndOfEscape(string line, int at)
    {
        if (at + 1 == line.Length || line[at + 1] != '[')
        {
            return Math.Min(at + 1, line.Length - 1);
        }

        int end = at + 2;
        while (end < line.Length && line[end] is < '@' or > '~')
        {
            end++;
        }

        return end;
    }

    /// <summary>How long what stands before the line proper is, 0: nothing; null: it says that the line is not about training.</summary>
    private static int? Prefix(string text, ref int? rank)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        // Most lines begin with none of them, and a character tells that sooner than an expression.
        char first = text[0];
        bool bracket = first == '[';
        if (
            (bracket || first == '(' || "rlgdpwnRLGDPWN".Contains(first, StringComparison.Ordinal))
            && Rank.Match(text) is { Success: true } from
        )
        {
            rank ??= int.Parse(from.Groups["rank"].Value, CultureInfo.InvariantCulture);
            return from.Length;
        }

        if ((bracket || first == 'I' || char.IsAsciiDigit(first)) && Time.Match(text) is { Success: true } time)
        {
            return text[time.Length - 1] == '[' ? time.Length - 1 : time.Length;
        }

        Match match = bracket || first is 'D' or 'I' or 'N' ? Level.Match(text) : Match.Empty;
        match = !match.Success && text.Contains(" - ", StringComparison.Ordinal) ? Logger.Match(text) : match;
        match = !match.Success && bracket ? Tag.Match(text) : match;
        return !match.Success ? 0
            : FieldNames.SaysEvaluation(match.ValueSpan) ? null
            : match.Length;
    }

    private static LineReading? ReadContent(string text)
    {
        if (text.StartsWith('{'))
        {
            return RecordLine.Read(text);
        }

        LineReading? bar = BarLine.Read(text, out int length);
        if (bar is not null || length > 0)
        {
            // A line that is printed while a bar stands may follow it without a line's end.
            string rest = text[length..].TrimStart();
            LineReading? beside = rest.StartsWith('{') ? RecordLine.Read(rest) : null;
            return bar is null ? beside
                : beside is { Step: null }
                    ? bar with
                    {
                        Epoch = bar.Epoch ?? beside.Epoch,
                        Metrics = beside.Metrics.Count > 0 ? beside.Metrics : bar.Metrics,
                    }
                : bar;
        }

        return text.Contains("%|", StringComparison.Ordinal) ? null : FieldLine.Read(text);
    }
}
