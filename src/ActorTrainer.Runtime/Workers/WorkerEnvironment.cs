using System.Collections;
using System.Globalization;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Environments;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>The environment of workers, and the executables found by it.</summary>
internal static class WorkerEnvironment
{
    public const string PathVariable = "PATH";
    public const string NodeDirectory = "ACTORTRAINER_NODE_DIR";
    public const string Spare = "ACTORTRAINER_SPARE";

    private const string DefaultPath = "/usr/local/bin:/usr/bin:/bin";
    private const string CommandLine = "actortrainer";
    private const string RestoreDirectory = "ACTORTRAINER_RESTORE_DIR";

    private static readonly string[] Own =
    [
        NodeDirectory,
        RestoreDirectory,
        RunMembers.RunVariable,
        "ACTORTRAINER_TASK",
        "ACTORTRAINER_TERM",
        "ACTORTRAINER_CHECKPOINT_DIR",
        "ACTORTRAINER_SOCKET",
        EnvironmentCommands.Variable,
        Spare,
    ];

    /// <summary>The node's environment without what is set for workers only.</summary>
    public static SortedDictionary<string, string> Inherited()
    {
        SortedDictionary<string, string> variables = new(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            if (entry.Key is string name && entry.Value is string value && !Own.Contains(name))
            {
                variables[name] = value;
            }
        }

        return variables;
    }

    /// <summary>What a worker is started with: the node's environment, then the task's, then what the protocol promises.</summary>
    public static SortedDictionary<string, string> For(StartWorker start, RunDirectories directories, string nodeDirectory, string socket)
    {
        SortedDictionary<string, string> variables = OfEveryWorker();
        foreach ((string name, string value) in start.Spec.Environment)
        {
            variables[name] = value;
        }

        if (start.Spec.Command is not null && PathWithCommandLine(variables.GetValueOrDefault(PathVariable)) is { } path)
        {
            variables[PathVariable] = path;
        }

        variables["ACTORTRAINER_TASK"] = start.Run.Task.Value;
        variables["ACTORTRAINER_TERM"] = start.Run.Term.ToString(CultureInfo.InvariantCulture);
        variables[RunMembers.RunVariable] = start.Run.ToString();
        variables[NodeDirectory] = nodeDirectory;
        variables["ACTORTRAINER_CHECKPOINT_DIR"] =
            start.Spec.State.Count > 0 ? directories.Work(start.Run) : directories.Checkpoint(start.Run);
        variables["ACTORTRAINER_SOCKET"] = socket;
        _ = variables.Remove(Spare);
        _ = variables.Remove(RestoreDirectory);
        if (start.HasRestore)
        {
            variables[RestoreDirectory] = directories.Restore(start.Run);
        }

        return variables;
    }

    /// <summary>What a spare worker is started with: no task's variables, and the mark by which its program knows that it is one.</summary>
    public static SortedDictionary<string, string> ForSpare(string name, string nodeDirectory, string socket)
    {
        SortedDictionary<string, string> variables = OfEveryWorker();
        variables[RunMembers.RunVariable] = name;
        variables[NodeDirectory] = nodeDirectory;
        variables["ACTORTRAINER_SOCKET"] = socket;
        variables[Spare] = "1";
        return variables;
    }

    private static SortedDictionary<string, string> OfEveryWorker()
    {
        SortedDictionary<string, string> variables = Inherited();
        // Python holds its output back for minutes when it is not a terminal.
        _ = variables.TryAdd("PYTHONUNBUFFERED", "1");
        return variables;
    }

    /// <summary>
    /// The PATH in which a command finds <c>actortrainer</c> as well, to say <c>commit</c>: the folder of this node's own executable stands
    /// last, where it takes no other program's place. Null: it is no other one.
    /// </summary>
    /// <param name="path">What is to be searched before; null: what shells search without a PATH.</param>
    /// <param name="executable">
    /// This process's own; null: asked for. A host's own program has the command line beside it, or has none.
    /// </param>
    public static string? PathWithCommandLine(string? path, string? executable = null)
    {
        string? folder = Path.GetDirectoryName(executable ?? Environment.ProcessPath);
        string before = path ?? DefaultPath;
        return folder is null
            || folder.Contains(':', StringComparison.Ordinal)
            || before.Split(':').Contains(folder)
            || !File.Exists(Path.Combine(folder, CommandLine))
            || !Posix.IsExecutable(Path.Combine(folder, CommandLine))
                ? null
            : before.Length == 0 ? folder
            : $"{before}:{folder}";
    }

    /// <summary>Finds an executable as a shell would; null and a sentence for the user when there is none.</summary>
    public static string? FindExecutable(string name, string workingDirectory, string? path, out string problem)
    {
        problem = "";
        if (name.Contains('/', StringComparison.Ordinal))
        {
            string file = Path.GetFullPath(name, workingDirectory);
            problem =
                Directory.Exists(file) ? $"'{file}' is a folder, not a program."
                : !File.Exists(file) ? $"'{file}' does not exist on this node: check the task's command."
                : !Posix.IsExecutable(file) ? $"'{file}' is not executable: run chmod +x on it, or name its interpreter first."
                : "";
            return problem.Length == 0 ? file : null;
        }

        foreach (string folder in (path ?? DefaultPath).Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string file = Path.GetFullPath(Path.Combine(folder, name), workingDirectory);
            if (File.Exists(file) && Posix.IsExecutable(file))
            {
                return file;
            }
        }

        problem = $"'{name}' was not found on this node in the task's PATH: install it, or give its full path.";
        return null;
    }
}
