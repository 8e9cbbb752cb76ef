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
    public IReadOnlyList<Flag> Flags(Invocation call)
    {
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
    public EnvironmentSpec? Read(Invocation call)
    {
        EnvironmentSpec wanted = new()
        {
            Venv = call.Value(Venv) is { } venv ? Path.GetFullPath(venv, call.Cli.WorkingDirectory) : null,
            Requirements = call.Value(Requirements),
            Setup = call.Value(Setup),
        };
        return wanted == new EnvironmentSpec() ? null : wanted;
    }
}
