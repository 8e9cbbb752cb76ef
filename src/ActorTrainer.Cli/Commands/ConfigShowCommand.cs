using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

internal static class ConfigShowCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> files = new("FILE") { Description = "Configuration files of nodes or tasks.", Arity = ArgumentArity.OneOrMore };
        CliCommand command = new(
            "show",
            "Prints what configuration files come to, with includes, substitutions and defaults.",
            "actortrainer config show node.conf"
        )
        {
            files,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            call =>
            {
                foreach (string file in call.Value(files))
                {
                    call.Line(cli.Files.Render(file, cli.WorkingDirectory).TrimEnd('\n'));
                }

                return Task.FromResult(ExitCodes.Ok);
            }
        );
        return command;
    }
}
