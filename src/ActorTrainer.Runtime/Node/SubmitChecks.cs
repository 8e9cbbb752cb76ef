using ActorTrainer.Checkpoints.Bundles;
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
    public static async Task<string?> ProblemAsync(TaskSpec spec, IBundleStore bundles, CancellationToken cancellationToken) =>
        TaskSpecRules.Problem(spec) ?? await BundleAsync(spec.Bundle, bundles, cancellationToken) ?? Program(spec);

    private static async Task<string?> BundleAsync(BundleSpec? bundle, IBundleStore bundles, CancellationToken cancellationToken) =>
        bundle is null || await bundles.HasAsync(bundle.Hash, cancellationToken)
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

        string name = spec.Command![0];
        if (
            name.Contains('/', StringComparison.Ordinal)
            && !Path.IsPathFullyQualified(name)
            && (spec.Bundle is not null || spec.Links.Count > 0)
        )
        {
            // In a folder that each run has to itself: a start says what is wrong with it.
            return null;
        }

        if (!name.Contains('/', StringComparison.Ordinal) && spec.NodeEnvironment is not null)
        {
            // Perhaps in a virtual environment of the node that runs it, or in one that is not made yet.
            return null;
        }

        string path = spec.Environment.GetValueOrDefault("PATH") ?? Environment.GetEnvironmentVariable("PATH") ?? "";
        string home = spec.WorkingDirectory ?? Environment.CurrentDirectory;
        return WorkerEnvironment.FindExecutable(name, home, path, out string problem) is null
            ? $"{problem.TrimEnd('.')} (PATH is {path})"
            : null;
    }
}
