using System.Globalization;

namespace ActorTrainer.Bench.Failover;

/// <summary>A step as the trainer wrote it down.</summary>
internal readonly record struct StepLine(long Step, long StartedAt, long Time);

/// <summary>
/// Reads the files of a task's steps as they grow, one file for each worker process: two of them may write at the same time, when the
/// first one's node is stopped. A line that is not whole yet is left for the next look.
/// </summary>
internal sealed class StepLog(string folder)
{
    private readonly Dictionary<string, (long Position, string Partial)> _read = [];

    public List<StepLine> Lines { get; } = [];

    public void Read()
    {
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            (long position, string rest) = _read.GetValueOrDefault(path, (0, ""));
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Seek(position, SeekOrigin.Begin);
            using StreamReader reader = new(file);
            string text = rest + reader.ReadToEnd();
            int end = text.LastIndexOf('\n');
            _read[path] = (file.Position, text[(end + 1)..]);
            foreach (string line in text[..(end + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                long[] numbers = [.. line.Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
                Lines.Add(new StepLine(numbers[0], numbers[1], numbers[2]));
            }
        }
    }

    /// <summary>The highest step reported up to a time; 0: none.</summary>
    public long Highest(long until) => Lines.Where(l => l.Time <= until).Select(l => l.Step).DefaultIfEmpty(0).Max();

    /// <summary>
    /// Whether the process that started last has gone past every other. The worker of a stopped node trains on until its guard ends it; what
    /// it did there is nobody's, and the next fault is not measured against it.
    /// </summary>
    public bool NewestLeads => Lines.Count > 0 && Lines.MaxBy(l => l.Step).StartedAt == Lines.Max(l => l.StartedAt);

    /// <summary>The first step above <paramref name="highest"/> by a worker process started after a time, or null.</summary>
    public StepLine? FirstNew(long highest, long startedAfter)
    {
        foreach (StepLine line in Lines)
        {
            if (line.StartedAt > startedAfter && line.Step > highest)
            {
                return line;
            }
        }

        return null;
    }
}
