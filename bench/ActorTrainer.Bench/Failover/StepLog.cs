using System.Globalization;

namespace ActorTrainer.Bench.Failover;

/// <summary>A step as the trainer wrote it down.</summary>
internal readonly record struct StepLine(long Step, long StartedAt, long Time);

/// <summary>Reads the file of a task's steps as it grows. A line that is not whole yet is left for the next look.</summary>
internal sealed class StepLog(string path)
{
    private long _position;
    private string _rest = "";

    public List<StepLine> Lines { get; } = [];

    public void Read()
    {
        if (!File.Exists(path))
        {
            return;
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(_position, SeekOrigin.Begin);
        using StreamReader reader = new(file);
        string text = _rest + reader.ReadToEnd();
        _position = file.Position;
        int end = text.LastIndexOf('\n');
        _rest = text[(end + 1)..];
        foreach (string line in text[..(end + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ');

            // A worker that was killed in the middle of a write leaves a part of a line before the next worker's first.
            if (parts.Length == 3 && long.TryParse(parts[0], CultureInfo.InvariantCulture, out long step) &&
                long.TryParse(parts[1], CultureInfo.InvariantCulture, out long started) && long.TryParse(parts[2], CultureInfo.InvariantCulture, out long time))
            {
                Lines.Add(new StepLine(step, started, time));
            }
        }
    }

    /// <summary>The highest step reported up to a time; 0: none.</summary>
    public long Highest(long until) => Lines.Where(l => l.Time <= until).Select(l => l.Step).DefaultIfEmpty(0).Max();

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
