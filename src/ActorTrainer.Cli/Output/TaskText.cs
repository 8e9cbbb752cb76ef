using ActorTrainer.Client;
using Spectre.Console;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Output;

/// <summary>Words about tasks.</summary>
internal static class TaskText
{
    public static string Status(TaskStatus status) => status.ToString().ToLowerInvariant();

    public static Style Style(TaskStatus status) =>
        new(
            status switch
            {
                TaskStatus.Running => Color.Green,
                TaskStatus.Completed => Color.Blue,
                TaskStatus.Pending or TaskStatus.Retrying => Color.Yellow,
                TaskStatus.Failed or TaskStatus.Held => Color.Red,
                _ => Color.Grey,
            }
        );

    public static string Results(IReadOnlyDictionary<string, string> results) =>
        string.Join(' ', results.OrderBy(result => result.Key, StringComparer.Ordinal).Select(result => $"{result.Key}={result.Value}"));

    /// <summary>Whether the detail says more than the status.</summary>
    public static bool NeedsExplaining(TaskView task) =>
        task.Detail.Length > 0 && task.Status is not (TaskStatus.Running or TaskStatus.Completed or TaskStatus.Cancelled);

    /// <summary>Why the task stands where it stands.</summary>
    public static string Explanation(TaskView task) =>
        $"{task.Name} {(task.Status == TaskStatus.Failed ? "" : "is ")}{Status(task.Status)}: {task.Detail}";

    /// <summary>What a command that waited for the task exits with.</summary>
    public static int ExitCode(TaskView task) =>
        task.Status switch
        {
            TaskStatus.Completed => task.ExitCode ?? ExitCodes.Ok,
            _ => task.ExitCode is int code and not 0 ? code : ExitCodes.Failed,
        };

    /// <summary>One sentence for the end of a task.</summary>
    public static string Ending(TaskView task) =>
        task.Status switch
        {
            TaskStatus.Completed => $"task {task.Name} completed",
            TaskStatus.Cancelled => $"task {task.Name} was cancelled",
            TaskStatus.Held => $"task {task.Name} is held: {task.Detail}; let it go on with 'actortrainer tasks resume {task.Name}'",
            _ => $"task {task.Name} failed: {task.Detail}",
        };

    /// <summary>A bar of the given width.</summary>
    public static string Bar(double share, int width)
    {
        int full = (int)Math.Floor(share * width);
        return new string('━', full) + new string('─', width - full);
    }
}
