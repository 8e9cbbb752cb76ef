using System.Runtime.InteropServices;
using ActorTrainer.Client;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Cli.Commands;

internal static class VersionCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        CliCommand command = new("version", "Prints the version.", "actortrainer version", "actortrainer version -o json");
        Invocation.Set(
            command,
            cli,
            globals,
            call =>
            {
                if (call.Json)
                {
                    call.WriteJson(
                        new VersionInfo(
                            "ActorTrainer",
                            ApiEndpoints.ProductVersion,
                            ApiEndpoints.Version,
                            RuntimeInformation.FrameworkDescription,
                            0
                        )
                    );
                }
                else
                {
                    call.Line(
                        $"actortrainer {ApiEndpoints.ProductVersion} ({RuntimeInformation.FrameworkDescription}, "
                            + $"{RuntimeInformation.RuntimeIdentifier})"
                    );
                }

                return Task.FromResult(ExitCodes.Ok);
            }
        );
        return command;
    }
}
