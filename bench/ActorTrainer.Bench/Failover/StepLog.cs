using System.Globalization;

namespace ActorTrainer.Bench.Failover;

/// <summary>A step that a trainer did, and when.</summary>
internal readonly record struct StepLine(long Step, long Time);

/// <summary>
/// One run of a trainer as its file tells it; a time is 0 while the file does not say it. Milliseconds of the monotonic clock.
/// </summary>
internal sealed class TrainerRun
{
    /// <summary>When its process started.</summary>
    public long Process { get; private set; }

    /// <summary>When the trainer was ready to load a state.</summary>
    public long Initialized { get; private set; }

    /// <summary>When it had loaded a checkpoint; stays 0 when it began from nothing.</summary>
    public long Loaded { get; private set; }

    public List<StepLine> Steps { get; } = [];

    /// <summary>Its first step, or null while it has done none.</summary>
    public StepLine? First => Steps.Count == 0 ? null : Steps[0];

    /// <exception cref="FormatException">It is no line of such a file.</exception>
    public void Add(string line)
    {
        string[] words = line.Split(' ');
        long time = words.Length > 1 ? long.Parse(words[1], CultureInfo.InvariantCulture) : 0;
        switch (words)
        {
            case [StepLog.Process, _]:
                Process = time;
                break;
            case [StepLog.Initialized, _]:
                Initialized = time;
                break;
            case [StepLog.Loaded, _]:
                Loaded = time;
                break;
            case [StepLog.Step, _, var step]:
                Steps.Add(new StepLine(long.Parse(step, CultureInfo.InvariantCulture), time));
                break;
            default:
                throw new FormatException($"'{line}' is no line of a trainer's file");
        }
    }
}

/// <summary>
/// Reads the files of a task's runs as they grow, one file for each: two of them may be written at the same time, when the first one's node
/// is stopped. Lines are <c>process TIME</c>, <c>initialized TIME</c>, <c>loaded TIME</c> and <c>step TIME STEP</c>; one that is not whole
/// yet is left for the next look.
/// </summary>
internal sealed class StepLog(string folder)
{
    public const string Process = "process";
    public const string Initialized = "initialized";
    public const string Loaded = "loaded";
    public const string Step = "step";

    private readonly Dictionary<string, (TrainerRun Run, long Position, string Partial)> _files = [];

    public IReadOnlyList<TrainerRun> Runs => [.. _files.Values.Select(file => file.Run)];

    /// <summary>
    /// Whether the run that began last has gone past every other. The worker of a stopped node trains on until its guard ends it; what it
    /// did there is nobody's, and the next fault is not measured against it.
    /// </summary>
    public bool NewestLeads =>
        Runs.Where(run => run.First is not null).ToArray() is { Length: > 0 } begun
        && begun.MaxBy(run => run.Steps.Max(step => step.Step)) == begun.MaxBy(run => run.Steps[0].Time);

    public void Read()
    {
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            (TrainerRun run, long position, string rest) = _files.GetValueOrDefault(path, (new TrainerRun(), 0, ""));
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Seek(position, SeekOrigin.Begin);
            using StreamReader reader = new(file);
            string text = rest + reader.ReadToEnd();
            int end = text.LastIndexOf('\n');
            foreach (string line in text[..(end + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                run.Add(line);
            }

            _files[path] = (run, file.Position, text[(end + 1)..]);
        }
    }

    /// <summary>The highest step done up to a time; 0: none.</summary>
    public long Highest(long until) =>
        Runs.SelectMany(run => run.Steps).Where(step => step.Time <= until).Select(step => step.Step).DefaultIfEmpty(0).Max();

    /// <summary>The run that did its first step first of those that did it after a time, or null.</summary>
    public TrainerRun? NextRun(long after) => Runs.Where(run => run.First?.Time > after).MinBy(run => run.First!.Value.Time);

    /// <summary>The last step of the runs that began before a time; null: there was none.</summary>
    public StepLine? LastOfBefore(long time) =>
        Runs.Where(run => run.First?.Time <= time).Select(run => (StepLine?)run.Steps[^1]).MaxBy(step => step!.Value.Time);

    /// <summary>The first step above <paramref name="highest"/> of a run that began after a time, or null.</summary>
    public StepLine? FirstNew(long highest, long begunAfter) =>
        Runs.Where(run => run.First?.Time > begunAfter)
            .SelectMany(run => run.Steps)
            .Where(step => step.Step > highest)
            .Select(step => (StepLine?)step)
            .MinBy(step => step!.Value.Time);
}
