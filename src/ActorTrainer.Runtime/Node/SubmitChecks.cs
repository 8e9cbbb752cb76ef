using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Discovery;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// What a node looks at before it takes a task, so that a mistake is told to whoever submits and not to the log of a failed run.
/// </summary>
internal static class SubmitChecks
{
    private const int LongestName = 63;

    /// <summary>What is wrong with the task on this node, or null.</summary>
    public static string? Problem(TaskSpec spec) => Values(spec) ?? Program(spec);

    /// <summary>A task file was checked when it was read; what comes through the API was not.</summary>
    private static string? Values(TaskSpec spec) =>
        !TaskId.IsName(spec.Name, LongestName)
            ? $"'{spec.Name}' is not a task's name: use 1 to {LongestName} lower-case letters, digits and inner dashes"
        : spec.Slots < 1 ? $"a task takes at least 1 slot, not {spec.Slots}"
        : spec.Checkpoint.EpochInterval < 1 ? $"the epoch interval is at least 1, not {spec.Checkpoint.EpochInterval}"
        : spec.Checkpoint.KeepLast < 1 ? $"at least 1 checkpoint is kept, not {spec.Checkpoint.KeepLast}"
        : spec.Checkpoint.Interval <= TimeSpan.Zero ? $"the checkpoint interval is longer than nothing, not {spec.Checkpoint.Interval}"
        : spec.Retry.MaxAttempts < 0 ? $"the number of retries (max-attempts) is not negative, as {spec.Retry.MaxAttempts} is"
        : spec.Retry.Backoff < TimeSpan.Zero || spec.Retry.MaxBackoff < TimeSpan.Zero ? "a backoff is not negative"
        : spec.Grace < TimeSpan.Zero ? $"the grace is not negative, as {spec.Grace} is"
        : null;

    private static string? Program(TaskSpec spec)
    {
        if ((spec.Command is null) == (spec.Trainer is null))
        {
            return "a task needs either a command or a trainer";
        }

        if (spec.Trainer is not null)
        {
            return TrainerInspector.Check(spec.Trainer);
        }

        if (spec.Command!.Count == 0 || string.IsNullOrWhiteSpace(spec.Command[0]))
        {
            return "the command is empty: its first word is the executable";
        }

        if (spec.WorkingDirectory is string directory && !Directory.Exists(directory))
        {
            return $"the working directory {directory} does not exist on this node";
        }

        return Executable(spec);
    }

    private static string? Executable(TaskSpec spec)
    {
        string name = spec.Command![0];
        if (name.Contains('/', StringComparison.Ordinal))
        {
            string path = Path.GetFullPath(name, spec.WorkingDirectory ?? Environment.CurrentDirectory);
            return !File.Exists(path) ? $"there is no executable {path} on this node"
                : IsExecutable(path) ? null
                : $"{path} is not executable: chmod +x it, or name its interpreter first";
        }

        string search = spec.Environment.TryGetValue("PATH", out string? own) ? own : Environment.GetEnvironmentVariable("PATH") ?? "";
        return search
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => IsExecutable(Path.Combine(folder, name)))
            ? null
            : $"there is no executable '{name}' in this node's PATH ({search})";
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path)
        && (
            OperatingSystem.IsWindows()
            || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0
        );
}
