using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

internal static class ClusterCordonCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> node = ClusterDrainCommand.NodeArgument();
        CliCommand command = new(
            "cordon",
            "Lets a node take no new tasks; those it has stay.",
            "actortrainer cluster cordon 127.0.0.1:7401"
        )
        {
            node,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                await call.Client.CordonAsync(call.Value(node), call.Interrupt);
                call.Note($"{call.Value(node)} takes no new tasks");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
