using System.CommandLine;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Options that say what environment a command gets besides that of its node.</summary>
internal sealed class EnvironmentOptions
{
    private static readonly string[] Carried = ["PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "LD_LIBRARY_PATH"];

    public Option<string[]> Variables { get; } =
        new("--env", "-e")
        {
            Description = "A variable for the command, with the value that it has here or with this one; may be repeated.",
            HelpName = "NAME[=VALUE]",
        };

    public Option<string[]> Files { get; } =
        new("--env-file")
        {
            Description = "A file with a line NAME=VALUE for each variable; may be repeated. --env goes over it.",
            HelpName = "FILE",
        };

    public Option<string[]> Secrets { get; } =
        new("--secret")
        {
            Description =
                "A variable whose value is read from a file on the node that runs the command, when it starts, "
                + "and is shown nowhere; may be repeated.",
            HelpName = "NAME=file:/PATH",
        };

    public Option<bool> Clean { get; } =
        new("--clean-env")
        {
            Description = $"Do not pass {string.Join(", ", Carried[..^1])} and {Carried[^1]} of this shell, nor its umask.",
        };

    public void AddTo(Command command)
    {
        command.Add(Variables);
        command.Add(Files);
        command.Add(Secrets);
        command.Add(Clean);
    }

    /// <summary>The task with its environment, looked at before it is sent: a secret written out by mistake stays here.</summary>
    /// <exception cref="UsageException">
    /// A variable is not set here, a file cannot be read or has a mistake, or the task breaks a rule of <see cref="TaskSpecRules"/>.
    /// </exception>
    public TaskSpec Apply(Invocation call, TaskSpec spec)
    {
        bool clean = call.Value(Clean);
        Dictionary<string, string> environment = new(StringComparer.Ordinal);
        foreach (string name in clean ? [] : Carried)
        {
            if (call.Cli.Environment(name) is { } value)
            {
                environment[name] = value;
            }
        }

        Dictionary<string, string> secrets = KeyValues
            .Parse(call.Value(Secrets), "--secret", "HF_TOKEN=file:/run/secrets/hf")
            .GroupBy(secret => secret.Key)
            .ToDictionary(same => same.Key, same => same.Last().Value);
        foreach (string name in secrets.Keys)
        {
            _ = environment.Remove(name);
        }

        foreach (string file in call.Value(Files) ?? [])
        {
            foreach ((string name, string value) in EnvironmentFile.Read(file, call.Cli))
            {
                environment[name] = value;
            }
        }

        foreach (string text in call.Value(Variables) ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? text : text[..equals];
            environment[name] =
                name.Length == 0 ? throw new UsageException($"--env: '{text}' has no name; write for example --env SEED=7")
                : equals >= 0 ? text[(equals + 1)..]
                : call.Cli.Environment(name)
                    ?? throw new UsageException($"--env: {name} is not set here; set it, or write --env {name}=VALUE");
        }

        TaskSpec whole = spec with
        {
            Environment = environment,
            Secrets = secrets.Count == 0 ? null : secrets,
            Umask = clean ? null : call.Cli.Umask(),
        };
        return TaskSpecRules.Problem(whole) is { } problem ? throw new UsageException(problem) : whole;
    }
}
