using System.CommandLine;
using ActorTrainer.Cli.Hosting;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Options of <c>run</c> and <c>submit</c> that say what a command needs of its node.</summary>
internal sealed class NodeEnvironmentOptions
{
    private const string VenvName = "--venv";
    private const string RequirementsName = "--requirements";
    private const string SetupName = "--setup";

    public Option<string?> Venv { get; } =
        new(VenvName) { Description = "A virtual environment that the nodes have. Nodes without it are passed over.", HelpName = "DIR" };

    public Option<string?> Requirements { get; } =
        new(RequirementsName)
        {
            Description = "What pip installs into a virtual environment, made once on each node and kept; a file in the working directory.",
            HelpName = "FILE",
        };

    public Option<string?> Setup { get; } =
        new(SetupName)
        {
            Description = "A command for sh, run once on each node and kept: it installs into $ACTORTRAINER_ENVIRONMENT.",
            HelpName = "COMMAND",
        };

    private (string Key, Option<string?> Option)[] Keys => [("venv", Venv), ("requirements", Requirements), ("setup", Setup)];

    public void AddTo(Command command)
    {
        command.Add(Venv);
        command.Add(Requirements);
        command.Add(Setup);
    }

    /// <summary>The same as keys over those of a task file.</summary>
    /// <exception cref="UsageException">A virtual environment in this folder is not there.</exception>
    public IReadOnlyList<Flag> Flags(Invocation call)
    {
        _ = VenvOf(call);
        List<Flag> flags = [];
        foreach ((string key, Option<string?> option) in Keys)
        {
            if (call.Value(option) is { } value)
            {
                flags.Add(new Flag($"environment.{key}", value, option.Name));
            }
        }

        return flags;
    }

    /// <summary>For a task that has no file; null: none of them is given.</summary>
    /// <param name="call">The command line.</param>
    /// <param name="bundled">Whether the task has a bundle, in which its requirements are.</param>
    /// <exception cref="UsageException">What is named relative to this folder is not there.</exception>
    public EnvironmentSpec? Read(Invocation call, bool bundled)
    {
        if (!bundled)
        {
            CheckRequirements(call);
        }

        EnvironmentSpec wanted = new()
        {
            Venv = VenvOf(call),
            Requirements = call.Value(Requirements),
            Setup = call.Value(Setup),
        };
        return wanted == new EnvironmentSpec() ? null : wanted;
    }

    /// <summary>A full path may well be one of the nodes alone; one that begins in this folder is looked for here.</summary>
    private string? VenvOf(Invocation call)
    {
        if (call.Value(Venv) is not { Length: > 0 } venv)
        {
            return call.Value(Venv);
        }

        string path = Path.GetFullPath(venv, call.Cli.WorkingDirectory);
        return Path.IsPathRooted(venv) || Directory.Exists(path)
            ? path
            : throw new UsageException(
                $"{VenvName}: '{path}' {(File.Exists(path) ? "is a file" : "does not exist")}; make it (python3 -m venv {venv}), "
                    + "or name one that the nodes have by its full path"
            );
    }

    private void CheckRequirements(Invocation call)
    {
        if (call.Value(Requirements) is not { Length: > 0 } file || Path.IsPathRooted(file))
        {
            return;
        }

        string path = Path.GetFullPath(file, call.Cli.WorkingDirectory);
        if (!File.Exists(path))
        {
            throw new UsageException(
                Directory.Exists(path)
                    ? $"{RequirementsName}: '{path}' is a folder; name the file in it"
                    : $"{RequirementsName}: '{path}' does not exist; name a file that does, or one of the nodes by its full path"
            );
        }
    }
}
