using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

internal static class ClusterUncordonCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> node = ClusterDrainCommand.NodeArgument();
        CliCommand command = new("uncordon", "Lets a cordoned node take tasks again.", "actortrainer cluster uncordon 127.0.0.1:7401")
        {
            node,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                await call.Client.UncordonAsync(call.Value(node), call.Interrupt);
                call.Note($"{call.Value(node)} takes tasks again");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
