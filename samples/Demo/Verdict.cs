using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Spectre.Console;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Samples.Demo;

/// <summary>One statement of the verdict.</summary>
/// <param name="Statement">What should be.</param>
/// <param name="Faults">What is not so; empty: it holds.</param>
internal sealed record Finding(string Statement, IReadOnlyList<string> Faults)
{
    public bool Holds => Faults.Count == 0;
}

/// <summary>Compares what the observer wrote down with what the cluster has in the end.</summary>
internal static class Verdict
{
    public const string Hash = "weights-sha256";

    public static IReadOnlyList<Finding> Judge(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyDictionary<string, IReadOnlyList<EventRow>> histories,
        Func<int, string?> referenceOf
    )
    {
        List<Finding> findings =
        [
            new(
                "every Digits task's final weights have the SHA-256 of an uninterrupted run of the same seed",
                [.. tasks.SelectMany(task => JudgeWeights(task, referenceOf))]
            ),
            new(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"nothing committed was lost ({tasks.Sum(task => task.Checkpoints.Count())} checkpoints were acknowledged)"
                ),
                [.. tasks.SelectMany(task => JudgeHistory(task, histories[task.Name]))]
            ),
            new(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"every Digits task reads at least {DemoTasks.LeastAccuracy:P0} of digits it never saw"
                ),
                [
                    .. tasks
                        .Where(task => task.Seed is not null && !(Accuracy(task) >= DemoTasks.LeastAccuracy))
                        .Select(task => $"{task.Name}: {Percent(Accuracy(task))}"),
                ]
            ),
        ];
        if (tasks.FirstOrDefault(task => task.Output is not null) is { } script)
        {
            findings.Add(new Finding("the PyTorch task completed, resumed from its last file", [.. JudgeScript(script)]));
        }

        return findings;
    }

    /// <summary>All events of all tasks, read anew.</summary>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<EventRow>>> ReadHistoriesAsync(
        ActorTrainerClient client,
        IEnumerable<TaskRecord> tasks,
        CancellationToken cancellationToken
    )
    {
        Dictionary<string, IReadOnlyList<EventRow>> histories = [];
        foreach (TaskRecord task in tasks)
        {
            List<EventRow> rows = [];
            while (
                (await client.ListEventsAsync(task.Name, rows.Count == 0 ? 0 : rows[^1].Sequence, cancellationToken)).Events
                    is { Count: > 0 } page
            )
            {
                rows.AddRange(page);
            }

            histories[task.Name] = rows;
        }

        return histories;
    }

    public static Table Draw(
        IReadOnlyList<TaskRecord> tasks,
        IReadOnlyList<NodeProcess> nodes,
        TimeSpan? detected,
        Func<int, string?> referenceOf
    )
    {
        Table table = LiveScreen.Create("TASK", ">ACCURACY", "NODES", ">STEPS REDONE", ">DETECTED", ">TRAINS AGAIN", "WEIGHTS");
        foreach (TaskRecord task in tasks)
        {
            string hash = task.Completed?.Results.GetValueOrDefault(Hash) ?? "";
            string weights = task.Seed is { } seed
                ? $"{hash[..Math.Min(8, hash.Length)]} {(hash == referenceOf(seed) ? "same" : "DIFFER")}"
                : "";
            table.AddRow(
                new Text(task.Name),
                new Text(Percent(Accuracy(task))),
                new Text(string.Join(" → ", Path(task, nodes))),
                new Text(Words.Number(task.StepsRedone)),
                new Text(task.Loss is null ? "-" : Words.Seconds(detected)),
                new Text(Words.Seconds(task.Loss?.TrainedAgainAfter)),
                new Text(weights)
            );
        }

        return table;
    }

    private static IEnumerable<int> Path(TaskRecord task, IReadOnlyList<NodeProcess> nodes)
    {
        int last = 0;
        foreach (TaskStarted start in task.Starts)
        {
            int number = nodes.First(node => node.Address == start.Node).Number;
            if (number != last)
            {
                yield return number;
            }

            last = number;
        }
    }

    private static double? Accuracy(TaskRecord task) =>
        task.Output is { } output ? output.Accuracy
        : double.TryParse(task.Completed?.Results.GetValueOrDefault("accuracy"), CultureInfo.InvariantCulture, out double value) ? value
        : null;

    private static string Percent(double? share) =>
        share is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known * 100:0.0} %") : "-";

    private static IEnumerable<string> JudgeWeights(TaskRecord task, Func<int, string?> referenceOf)
    {
        if (task.Seed is not { } seed)
        {
            yield break;
        }

        string? hash = task.Completed?.Results.GetValueOrDefault(Hash);
        if (hash is null || hash != referenceOf(seed))
        {
            yield return $"{task.Name}: {hash ?? "no weights"}, uninterrupted {referenceOf(seed) ?? "not known"}";
        }
    }

    /// <summary>
    /// What was acknowledged stands in the history as it was seen, and every start went on from the newest checkpoint before it.
    /// </summary>
    private static IEnumerable<string> JudgeHistory(TaskRecord task, IReadOnlyList<EventRow> history)
    {
        Dictionary<long, EventRow> bySequence = history.ToDictionary(row => row.Sequence);
        foreach (EventRow seen in task.Events)
        {
            string? acknowledged = (seen.Event as TaskCheckpointed)?.Checkpoint.Name;
            string? kept = (bySequence.GetValueOrDefault(seen.Sequence)?.Event as TaskCheckpointed)?.Checkpoint.Name;
            if (acknowledged != kept)
            {
                yield return $"{task.Name}: checkpoint {acknowledged} (event {seen.Sequence}) was acknowledged; "
                    + $"the history has {kept ?? "none"} there";
            }
        }

        CheckpointRef? newest = null;
        foreach (EventRow row in history)
        {
            switch (row.Event)
            {
                case TaskCheckpointed checkpointed:
                    newest = checkpointed.Checkpoint;
                    break;
                case TaskStarted started when started.RestoredFrom != newest?.Name:
                    yield return $"{task.Name}: run {started.Run} went on from {started.RestoredFrom ?? "nothing"}, "
                        + $"not from {newest?.Name}";
                    break;
                case TaskCheckpointDamaged damaged:
                    yield return $"{task.Name}: checkpoint {damaged.Checkpoint} was damaged: {damaged.Detail}";
                    break;
            }
        }
    }

    private static IEnumerable<string> JudgeScript(TaskRecord task)
    {
        if (task.View?.Status != TaskStatus.Completed)
        {
            yield return $"it is {Words.Status(task)}";
        }

        if (!task.Starts.Any(start => start is { Run: > 1, RestoredFrom: not null }))
        {
            yield return "it was never resumed";
        }
    }
}
