using System.Globalization;

namespace ActorTrainer.Bench.Soak;

/// <summary>How a task ended.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Status">Its status in words.</param>
/// <param name="Completed">Whether it has completed.</param>
/// <param name="Weights">The SHA-256 of its weights, or null when it has none.</param>
/// <param name="Reference">The same of an uninterrupted run.</param>
/// <param name="LostSteps">Committed steps that it lost.</param>
/// <param name="Faults">What is wrong with its history, one sentence each.</param>
internal sealed record SoakedTask(
    string Name,
    string Status,
    bool Completed,
    string? Weights,
    string Reference,
    long LostSteps,
    IReadOnlyList<string> Faults
);

/// <summary>What a soak has shown.</summary>
/// <param name="Options">How it was run.</param>
/// <param name="Faults">How many faults happened.</param>
/// <param name="Tasks">Every task that was submitted.</param>
/// <param name="LongestOverlap">The longest time for which a task had two live workers, in milliseconds.</param>
/// <param name="OverlapTask">The task that had it.</param>
/// <param name="Orphans">Processes that outlived the cluster.</param>
/// <param name="Unexpected">What else should not have happened, one sentence each.</param>
internal sealed record SoakVerdict(
    SoakOptions Options,
    int Faults,
    IReadOnlyList<SoakedTask> Tasks,
    long LongestOverlap,
    string OverlapTask,
    int Orphans,
    IReadOnlyList<string> Unexpected
)
{
    /// <summary>The default of <c>sharding.self-fence-after</c>, in milliseconds: no task may have two live workers for longer.</summary>
    public const int MostOverlap = 10_000;

    private SoakedTask[] Wrong => [.. Tasks.Where(task => task.Completed && task.Weights != task.Reference)];

    /// <summary>What is bad, one sentence each; empty: nothing.</summary>
    public IReadOnlyList<string> Findings =>
        [
            .. Tasks.SelectMany(task => task.Faults),
            .. Tasks.Where(task => !task.Completed).Select(task => $"{task.Name} is not completed: {task.Status}"),
            .. Wrong.Select(task =>
                $"{task.Name} ended with the weights {task.Weights ?? "of nobody"}, an uninterrupted run with {task.Reference}"
            ),
            .. LongestOverlap > MostOverlap ? [Text($"{OverlapTask} had two live workers for {LongestOverlap} ms")] : Array.Empty<string>(),
            .. Orphans > 0 ? [Text($"{Orphans} processes outlived the cluster")] : Array.Empty<string>(),
            .. Tasks.Count == 0 ? ["no task was submitted"] : Array.Empty<string>(),
            .. Unexpected,
        ];

    /// <summary>The result line.</summary>
    public string Line =>
        string.Join(
            ' ',
            $"soak database={Options.Database}",
            Text($"minutes={Options.Minutes} seed={Options.Seed} faults={Faults}"),
            Text($"tasks={Tasks.Count} unfinished={Tasks.Count(task => !task.Completed)}"),
            Text($"lost_committed_steps={Tasks.Sum(task => task.LostSteps)}"),
            Text($"longest_overlap_ms={LongestOverlap} orphans={Orphans} wrong_bits={Wrong.Length} unexpected={Unexpected.Count}")
        );

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
