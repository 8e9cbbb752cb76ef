using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Training.Discovery;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// What a node looks at before it takes a task, so that a mistake is told to whoever submits and not to the log of a failed run.
/// </summary>
internal static class SubmitChecks
{
    /// <summary>What is wrong with the task on this node, or null.</summary>
    public static string? Problem(TaskSpec spec) => TaskSpecRules.Problem(spec) ?? Program(spec);

    private static string? Program(TaskSpec spec)
    {
        if (spec.WorkingDirectory is { } folder && (!Path.IsPathFullyQualified(folder) || folder.Contains('\0', StringComparison.Ordinal)))
        {
            return $"the working directory '{folder}' is not a full path";
        }

        if (spec.Trainer is not null)
        {
            return TrainerInspector.Check(spec.Trainer);
        }

        if (spec.WorkingDirectory is string directory && !Directory.Exists(directory))
        {
            return $"the working directory {directory} does not exist on this node";
        }

        string path = spec.Environment.GetValueOrDefault("PATH") ?? Environment.GetEnvironmentVariable("PATH") ?? "";
        string home = spec.WorkingDirectory ?? Environment.CurrentDirectory;
        return WorkerEnvironment.FindExecutable(spec.Command![0], home, path, out string problem) is null
            ? $"{problem.TrimEnd('.')} (PATH is {path})"
            : null;
    }
}
