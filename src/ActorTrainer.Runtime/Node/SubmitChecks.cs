using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Discovery;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// What a node looks at before it takes a task, so that a mistake is told to whoever submits and not to the log of a failed run.
/// </summary>
internal static class SubmitChecks
{
    /// <summary>What is wrong with the task on this node, or null.</summary>
    public static string? Problem(TaskSpec spec, IBundleStore bundles) =>
        TaskSpecRules.Problem(spec) ?? Bundle(spec.Bundle, bundles) ?? Program(spec);

    private static string? Bundle(BundleSpec? bundle, IBundleStore bundles) =>
        bundle is null || bundles.Has(bundle.Hash)
            ? null
            : $"the cluster does not have the bundle {bundle.Hash}; 'actortrainer run' and 'submit' bring it, "
                + $"others upload it first: PUT /v1/bundles/{bundle.Hash}";

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

        return Executable(spec);
    }

    private static string? Executable(TaskSpec spec)
    {
        string name = spec.Command![0];
        if (name.Contains('/', StringComparison.Ordinal))
        {
            if (!Path.IsPathFullyQualified(name) && (spec.Bundle is not null || spec.Links.Count > 0))
            {
                // In a folder that each run has to itself: a start says what is wrong with it.
                return null;
            }

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
