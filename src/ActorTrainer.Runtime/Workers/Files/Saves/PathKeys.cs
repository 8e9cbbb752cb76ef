using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>
/// Tells what the numbers in paths are for. <c>model-200.pt</c> follows <c>model-100.pt</c>: the number counts saves, both are
/// the same part of two of them. <c>rank-1.pt</c> stands beside <c>rank-0.pt</c>: the number names a part, both belong to one save.
/// </summary>
internal sealed partial class PathKeys
{
    /// <summary>Parts of one save do not come as far apart: a number that changed after such a pause counts saves.</summary>
    public const long PauseMilliseconds = 150_000;

    /// <summary>All parts of one save are written within this time.</summary>
    private const long LongestSaveMilliseconds = 600_000;

    /// <summary>A number with as many digits is a time or an identifier.</summary>
    private const int LongestCount = 8;

    private static readonly HashSet<string> CountWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "step",
        "steps",
        "epoch",
        "epochs",
        "ep",
        "e",
        "iter",
        "iters",
        "iteration",
        "iterations",
        "it",
        "ckpt",
        "ckpts",
        "checkpoint",
        "checkpoints",
        "chkpt",
        "chkpnt",
        "snapshot",
        "snapshots",
        "save",
        "saves",
        "update",
        "updates",
        "round",
        "generation",
        "gen",
        "batch",
    };

    private static readonly HashSet<string> PartWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "rank",
        "ranks",
        "shard",
        "shards",
        "part",
        "parts",
        "of",
        "gpu",
        "device",
        "dev",
        "worker",
        "node",
        "host",
        "proc",
        "process",
        "mp",
        "tp",
        "pp",
        "dp",
        "ep_rank",
        "zero",
        "layer",
        "layers",
        "expert",
        "experts",
        "chunk",
        "piece",
        "slice",
        "split",
        "block",
        "bucket",
        "stage",
        "local",
        "world",
        "consolidated",
        "fold",
        "seed",
        "replica",
        "member",
        "agent",
    };

    /// <summary>Some are kept: the same paths are asked for at every completion.</summary>
    private const int MostKept = 10_000;

    private static readonly ConcurrentDictionary<string, Shape> s_kept = new(StringComparer.Ordinal);

    private readonly Dictionary<(string Template, int Position), bool> _counts = [];

    /// <summary>Learns from all paths that were completed, in their order, and from those that were removed.</summary>
    public PathKeys(IReadOnlyList<Completion> completions, IEnumerable<string> removed)
    {
        Dictionary<string, Sequence> sequences = new(StringComparer.Ordinal);
        long before = 0;
        long pause = long.MinValue;
        foreach (Completion completion in completions)
        {
            if (completion.Before is SaveBreak.Boundary or SaveBreak.Void)
            {
                // The script may begin again with what it had saved before: a number that goes back says nothing now.
                foreach (Sequence sequence in sequences.Values)
                {
                    sequence.Last = null;
                    sequence.IsInNewRun = completion.Before == SaveBreak.Boundary;
                }
            }

            pause = completion.Milliseconds - before >= PauseMilliseconds ? completion.Milliseconds : pause;
            before = completion.Milliseconds;
            Shape shape = ShapeOf(completion.Path);
            if (shape.Numbers.Length == 0)
            {
                continue;
            }

            if (!sequences.TryGetValue(shape.Template, out Sequence? known))
            {
                sequences.Add(shape.Template, known = new Sequence(shape.Numbers.Length));
            }

            known.Add(shape, completion, pause);
        }

        foreach (string path in removed)
        {
            Shape shape = ShapeOf(path);
            if (sequences.TryGetValue(shape.Template, out Sequence? known))
            {
                known.Removed(shape);
            }
        }

        foreach ((string template, Sequence sequence) in sequences)
        {
            for (int i = 0; i < sequence.Uses.Length; i++)
            {
                _counts[(template, i)] = sequence.Counts(i);
            }
        }
    }

    /// <summary>The path without the numbers that count saves: the same part of two saves has the same.</summary>
    public string KeyOf(string path)
    {
        Shape shape = ShapeOf(path);
        if (shape.Numbers.Length == 0)
        {
            return path;
        }

        StringBuilder key = new(path.Length);
        int at = 0;
        for (int i = 0; i < shape.Numbers.Length; i++)
        {
            Number number = shape.Numbers[i];
            _ = key.Append(path, at, number.Start - at);
            _ = _counts.GetValueOrDefault((shape.Template, i)) ? key.Append('#') : key.Append(path, number.Start, number.Length);
            at = number.Start + number.Length;
        }

        return key.Append(path, at, path.Length - at).ToString();
    }

    /// <summary>Whether a single name is that of one save of several: it has a number that counts them, or is one.</summary>
    public static bool CountsSaves(string name) =>
        name.Length > 0 && (name.All(char.IsAsciiDigit) || ShapeOf(name).Numbers.Any(number => number.Use == Use.Count));

    /// <summary>A path without its numbers: parts of one kind have the same.</summary>
    public static string Fold(string path) => ShapeOf(path).Template;

    private static Shape ShapeOf(string path)
    {
        if (!s_kept.TryGetValue(path, out Shape? shape))
        {
            shape = Read(path);
            if (s_kept.Count >= MostKept)
            {
                s_kept.Clear();
            }

            s_kept[path] = shape;
        }

        return shape;
    }

    private static Shape Read(string path)
    {
        List<Number> numbers = [];
        StringBuilder template = new(path.Length);
        int at = 0;
        foreach (Match match in Numbers().Matches(path))
        {
            _ = template.Append(path, at, match.Index - at).Append('#');
            at = match.Index + match.Length;
            string word = match.Groups["word"].Value;
            Use use =
                match.Groups["time"].Success || match.Groups["decimal"].Success || match.Groups["count"].Length >= LongestCount
                    ? Use.Anything
                : match.Groups["of"].Success || PartWords.Contains(word) ? Use.Part
                : CountWords.Contains(word) ? Use.Count
                : Use.Unknown;
            Group digits = match.Groups["digits"];
            _ = template.Remove(template.Length - 1, 1).Append(path, match.Index, digits.Index - match.Index).Append('#');
            at = digits.Index + digits.Length;
            long value = use == Use.Anything ? 0 : ValueOf(digits.ValueSpan);
            numbers.Add(new Number(digits.Index, digits.Length, value, use));
        }

        _ = template.Append(path, at, path.Length - at);
        return new Shape(template.ToString(), [.. numbers]);
    }

    /// <summary>Digits of any script: people write names in theirs.</summary>
    private static long ValueOf(ReadOnlySpan<char> digits)
    {
        long value = 0;
        foreach (char digit in digits)
        {
            value = (value * 10) + CharUnicodeInfo.GetDecimalDigitValue(digit);
        }

        return value;
    }

    /// <summary>A word and one separator may stand before a number; <c>-of-</c> may follow it.</summary>
    [GeneratedRegex(
        @"(?:(?<word>[A-Za-z]+)[-_=./ ]?)?(?<digits>"
            + @"(?<time>\d{4}-\d\d-\d\d(?:[T _-]?\d\d[-:_.]?\d\d(?:[-:_.]?\d\d)?)?)|(?<decimal>\d+\.\d+(?!\d*[A-Za-z_/]))|(?<count>\d+)"
            + @")(?=(?<of>-of-))?",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Numbers();

    private enum Use
    {
        Unknown,
        Count,
        Part,

        /// <summary>A time, a metric: another one each time, which tells nothing.</summary>
        Anything,
    }

    private readonly record struct Number(int Start, int Length, long Value, Use Use);

    private sealed record Shape(string Template, Number[] Numbers);

    /// <summary>What was seen of the numbers of one template.</summary>
    private sealed class Sequence(int numbers)
    {
        /// <summary>A process that was started again may go back once; the parts of a save do so with every save.</summary>
        private const int CertainlyBack = 2;

        /// <summary>
        /// After so many steps by one a gap is a part that is late: its file is closed last where a process was forked meanwhile.
        /// </summary>
        private const int CertainlyByOne = 2;

        private readonly int[] _wentBack = new int[numbers];
        private readonly int[] _byOne = new int[numbers];
        private readonly bool[] _jumped = new bool[numbers];
        private readonly long[] _largest = new long[numbers];
        private long _begun;
        private long _lastAt;

        public Use[] Uses { get; } = new Use[numbers];

        public Number[]? Last { get; set; }

        /// <summary>Whether none came in this run yet, and some did in those before.</summary>
        public bool IsInNewRun { get; set; }

        private Number[]? Newest { get; set; }

        /// <param name="pause">When the newest pause between any two completions was over.</param>
        public void Add(Shape shape, Completion completion, long pause)
        {
            long at = completion.Milliseconds;
            int position = Last is { } last ? FirstDifference(last, shape.Numbers) : -1;
            long step = position >= 0 ? shape.Numbers[position].Value - Last![position].Value : 0;
            if (step > 0)
            {
                bool gap = step > 1 && _byOne[position] < CertainlyByOne;
                _jumped[position] |= gap || pause > _lastAt || at - _begun >= LongestSaveMilliseconds;
                _byOne[position] += step == 1 ? 1 : 0;
            }
            else if (step < 0)
            {
                _wentBack[position] += completion.Before == SaveBreak.Disturbed ? 1 : CertainlyBack;
            }

            if (IsInNewRun && Newest is { } earlier && FirstDifference(earlier, shape.Numbers) is var first and >= 0)
            {
                // A run begins with its first parts, and goes on behind the last save.
                _jumped[first] |= shape.Numbers[first].Value > _largest[first];
            }

            for (int i = 0; i < Uses.Length; i++)
            {
                Uses[i] = shape.Numbers[i].Use;
                _largest[i] = Math.Max(_largest[i], shape.Numbers[i].Value);
            }

            IsInNewRun = false;

            _begun = Last is null || step < 0 ? at : _begun;
            Last = Newest = shape.Numbers;
            _lastAt = at;
        }

        /// <summary>An older one that is thrown away, as those do who keep the last few saves.</summary>
        public void Removed(Shape shape)
        {
            if (Newest is { } newest && FirstDifference(shape.Numbers, newest) is var i and >= 0)
            {
                _jumped[i] |= newest[i].Value > shape.Numbers[i].Value;
            }
        }

        public bool Counts(int i) =>
            _wentBack[i] < CertainlyBack
            && Uses[i] switch
            {
                Use.Part => false,
                Use.Unknown => _jumped[i] && !Uses.Contains(Use.Count),
                _ => true,
            };

        private static int FirstDifference(Number[] one, Number[] other)
        {
            for (int i = 0; i < one.Length; i++)
            {
                if (one[i].Use != Use.Anything && one[i].Value != other[i].Value)
                {
                    return i;
                }
            }

            return -1;
        }
    }

    /// <summary>Whether a path is that of a file or folder, or of something below it.</summary>
    public static bool IsAtOrBelow(string path, string folder) =>
        path.StartsWith(folder, StringComparison.Ordinal) && (path.Length == folder.Length || path[folder.Length] == '/');
}
