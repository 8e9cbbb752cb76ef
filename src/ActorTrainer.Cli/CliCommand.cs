using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ActorTrainer.Cli;

/// <summary>A command with examples for its help.</summary>
internal sealed class CliCommand : Command
{
    public CliCommand(string name, string description, params string[] examples)
        : base(name, description) => Examples = examples;

    public IReadOnlyList<string> Examples { get; }

    /// <summary>A line about the exit code where it differs from the usual, or null.</summary>
    public string? ExitCodeNote { get; set; }

    /// <summary>Whether its arguments are a command line: from its first word on, nothing is looked at.</summary>
    public bool TakesCommandLine { get; set; }
}

/// <summary>The usual help, then examples and exit codes.</summary>
internal sealed class HelpWithExamples(HelpAction usual, int width) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        usual.MaxWidth = width;
        int code = usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        CliCommand? command = parseResult.CommandResult.Command as CliCommand;
        IReadOnlyList<string> examples = command?.Examples ?? CliProgram.RootExamples;
        if (examples.Count > 0)
        {
            output.WriteLine("Examples:");
            foreach (string example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
        }

        output.WriteLine("Exit codes:");
        if (command?.ExitCodeNote is string note)
        {
            output.WriteLine($"  {note}");
        }

        output.WriteLine("  0 ok, 1 failed or refused, 2 usage or configuration error,");
        output.WriteLine("  3 no node answers, 130 interrupted");
        return code;
    }
}
