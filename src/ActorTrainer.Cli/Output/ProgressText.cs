using System.Globalization;
using System.Text;
using ActorTrainer.Client;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Output;

/// <summary>How far tasks are. What begins with <see cref="Mark"/> is guessed or estimated.</summary>
internal static class ProgressText
{
    public const string Mark = "~";

    /// <summary>What the mark means, where there is room for it.</summary>
    public const string MarkExplained = "guessed from the script's output, or estimated from its pace";

    private const int MostInALine = 3;

    /// <summary>Share done in [0, 1], or null when the end is not known.</summary>
    public static double? Share(TaskProgress progress) =>
        progress.Output?.Share() is { } output ? output
        : progress.TotalSteps is > 0 ? Math.Clamp((double)progress.Step / progress.TotalSteps.Value, 0, 1)
        : null;

    /// <summary>The share in percent, marked where it is guessed; null when the end is not known.</summary>
    public static string? Percent(TaskProgress progress) =>
        Share(progress) is double share
            ? $"{MarkOf(progress)}{Math.Floor(share * 100).ToString("0", CultureInfo.InvariantCulture)}%"
            : null;

    /// <summary>The steps of a task; of a script that does not say how far it is the number of its last save.</summary>
    public static string Steps(TaskView task) => IsCounted(task) ? $"save {Human.Number(task.Progress.Step)}" : Steps(task.Progress);

    /// <summary>The steps: a script's own behind the number of its last save.</summary>
    public static string Steps(TaskProgress progress)
    {
        if (progress.Output is not { Step: not null } output)
        {
            return Share(progress) is double share
                    ? string.Create(CultureInfo.InvariantCulture, $"{progress.Step}/{progress.TotalSteps} {Math.Floor(share * 100):0}%")
                : progress.Output is not null && progress.Step > 0 ? $"save {Human.Number(progress.Step)}"
                : progress.Step > 0 ? Human.Number(progress.Step)
                : "-";
        }

        string save = progress.Step > 0 ? $"save {Human.Number(progress.Step)}, " : "";
        string percent = output.Share() is double done ? string.Create(CultureInfo.InvariantCulture, $" {Math.Floor(done * 100):0}%") : "";
        return $"{save}{OwnStep(output)}{percent}";
    }

    /// <summary>A script's own step, without the word; empty when it is not known.</summary>
    public static string OwnStep(OutputProgress output)
    {
        if (output.Step is not { } step)
        {
            return "";
        }

        string total = output.TotalSteps is { } steps ? $"/{Human.Number(steps)}" : "";
        return $"{(output.Guessed ? Mark : "")}step {Human.Number(step)}{total}{(output.OfEpoch ? " of an epoch" : "")}";
    }

    /// <summary>The step of a checkpoint: of a script's the number of the save, with its own step.</summary>
    public static string StepOf(CheckpointRef checkpoint) =>
        checkpoint.Output is { } output
            ? $"save {Human.Number(checkpoint.Step)} ({(output.Step is null ? Epoch(output) : OwnStep(output))})"
        : IsOfScript(checkpoint) ? StepCell(checkpoint)
        : $"step {StepCell(checkpoint)}";

    /// <summary>The same under a heading that says "step", as short as it can be.</summary>
    public static string StepCell(CheckpointRef checkpoint) =>
        IsOfScript(checkpoint) ? $"save {Human.Number(checkpoint.Step)}" : Human.Number(checkpoint.Step);

    /// <summary>Whether its steps are saves of a script of which nothing else is known.</summary>
    public static bool IsCounted(TaskView task) =>
        task.Progress is { Step: > 0, Output: null } && task.LastCheckpoint is { } last && IsOfScript(last);

    private static bool IsOfScript(CheckpointRef checkpoint) =>
        checkpoint.Output is not null || checkpoint.Reason is CheckpointReasons.Files or CheckpointReasons.Inferred;

    /// <summary>The epoch; null when it is not known.</summary>
    public static string? Epoch(TaskProgress progress) =>
        progress.Output is { Epoch: not null } output ? Epoch(output)
        : progress.Epoch > 0 ? progress.Epoch.ToString("0.##", CultureInfo.InvariantCulture)
        : null;

    /// <summary>How far it is, in a word: a share where the end is known, else the step, else the epoch.</summary>
    public static string Done(TaskView task) =>
        task.Status == TaskStatus.Completed ? "100%"
        : Percent(task.Progress) is { } percent ? percent
        : task.Progress.Output is { Step: { } own } output ? $"{(output.Guessed ? Mark : "")}step {Human.Number(own)}"
        : task.Progress.Output is { Epoch: not null } epochs ? Epoch(epochs)
        : IsCounted(task) ? Steps(task)
        : task.Progress.Step > 0 ? $"step {Human.Number(task.Progress.Step)}"
        : "-";

    /// <summary>How long it still takes, about; null: not known, or it does not run.</summary>
    public static string? Left(TaskView task) =>
        task is { Status: TaskStatus.Running, Progress.Remaining: { } left } ? $"{Mark}{Human.Duration(left)}" : null;

    /// <summary>The metrics, losses first.</summary>
    public static string Metrics(TaskProgress progress, int most = int.MaxValue)
    {
        bool own = progress.Output is null || progress.Metrics.Count > 0;
        return own ? Metrics(progress.Metrics, "", most) : Metrics(progress.Output!.Metrics, MarkOf(progress), most);
    }

    /// <summary>Metrics, losses first.</summary>
    public static string Metrics(IReadOnlyDictionary<string, double> metrics, string mark = "", int most = int.MaxValue) =>
        string.Join(
            ' ',
            metrics
                .OrderBy(metric =>
                    metric.Key.Equals("loss", StringComparison.OrdinalIgnoreCase) ? 0
                    : metric.Key.Contains("loss", StringComparison.OrdinalIgnoreCase) ? 1
                    : 2
                )
                .ThenBy(metric => metric.Key, StringComparer.Ordinal)
                .Take(most)
                .Select(metric => $"{mark}{metric.Key}={Human.Number(metric.Value)}")
        );

    /// <summary>Age and size of the last checkpoint; null: there is none.</summary>
    public static string? Saved(TaskView task, Times times) =>
        task.LastCheckpoint is not { } checkpoint ? null
        : task.LastCheckpointAt is { } at ? $"{Times.Ago(times.Now - at)} ({Human.Bytes(checkpoint.Bytes)})"
        : Human.Bytes(checkpoint.Bytes);

    /// <summary>How a task that runs stands, in one line, or more where that is too long; null: nothing is known yet.</summary>
    public static string? Line(TaskView task, Times times, int width)
    {
        if (task.Status != TaskStatus.Running)
        {
            return null;
        }

        string metrics = Metrics(task.Progress, MostInALine);
        string?[] parts =
        [
            Steps(task) is var steps and not "-" ? steps
            : Epoch(task.Progress) is { } epoch ? $"epoch {epoch}"
            : null,
            Left(task) is { } left ? $"{left} left" : null,
            metrics.Length > 0 ? metrics : null,
            Saved(task, times) is { } saved ? $"saved {saved}" : null,
        ];
        string line = $"{task.Name}:";
        StringBuilder lines = new();
        foreach (string part in parts.OfType<string>())
        {
            bool first = line.EndsWith(':');
            if (!first && line.Length + part.Length + 3 > width)
            {
                _ = lines.Append(line).Append(",\n");
                line = $"  {part}";
            }
            else
            {
                line = $"{line}{(first ? "" : ",")} {part}";
            }
        }

        return line.EndsWith(':') ? null : lines.Append(line).ToString();
    }

    /// <summary>Whether anything that is shown of it is marked.</summary>
    public static bool IsMarked(TaskView task) =>
        task.Progress.Output is { Guessed: true } || Left(task) is not null || task.LastCheckpoint?.Output is not null;

    private static string MarkOf(TaskProgress progress) => progress.Output is { Guessed: true } ? Mark : "";

    private static string Epoch(OutputProgress output) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(output.Guessed ? Mark : "")}epoch {output.Epoch:0.##}{(output.TotalEpochs is { } total ? $"/{total:0.##}" : "")}"
        );
}
