using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>What a command may need of its node.</content>
public static partial class TaskSpecRules
{
    /// <summary>What is wrong with what a command needs of its node, as a sentence without its full stop; null: nothing.</summary>
    internal static string? NodeEnvironment(TaskSpec spec) =>
        spec.NodeEnvironment is not { } wanted ? null
        : spec.Command is null ? "environment.venv, requirements and setup are for commands; a trainer has what its assembly brings along"
        : wanted is { Venv: not null, Requirements: not null }
            ? "environment.venv names a virtual environment that exists, and environment.requirements makes one; remove one of the two"
        : wanted is { Venv: null, Requirements: null, Setup: null }
            ? "the environment has no venv, no requirements and no setup; give it one of them, or leave it out"
        : Venv(wanted.Venv) ?? Requirements(wanted.Requirements, spec.WorkingDirectory is null) ?? Setup(wanted.Setup);

    private static string? Venv(string? path) =>
        path is null || (path.Length > 1 && path[0] == '/' && IsText(path))
            ? null
            : $"environment.venv '{path}' is not a full path; write the folder that holds bin/python, such as /opt/venvs/torch";

    private static string? Requirements(string? path, bool ownFolder) =>
        path is null ? null
        : string.IsNullOrWhiteSpace(path) || !IsText(path) ? $"environment.requirements '{path}' is not a file's path; write one"
        : path[0] != '/' && ownFolder && PathProblem(path) is { } problem ? $"environment.requirements '{path}' {problem}"
        : null;

    private static string? Setup(string? command) =>
        command is null || (!string.IsNullOrWhiteSpace(command) && IsText(command))
            ? null
            : "environment.setup is empty or contains a zero character; write a command line for /bin/sh, or leave it out";

    private static bool IsText(string text) => !text.Contains('\0', StringComparison.Ordinal);
}
