using System.CommandLine;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Commands;

internal static class ConfigCheckCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> files = new("FILE") { Description = "Configuration files of nodes or tasks.", Arity = ArgumentArity.OneOrMore };
        CliCommand command = new(
            "check",
            "Checks configuration files without starting anything.",
            "actortrainer config check node.conf",
            "actortrainer config check tasks/*.conf"
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
                int code = ExitCodes.Ok;
                foreach (string file in call.Value(files))
                {
                    try
                    {
                        call.Line($"{file}: {cli.Files.Check(file, cli.WorkingDirectory)}");
                    }
                    catch (ConfigException e)
                    {
                        cli.Error.WriteLine(e.Message);
                        code = ExitCodes.Usage;
                    }
                }

                return Task.FromResult(code);
            }
        );
        return command;
    }
}
