using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

internal static class ClusterDrainCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> node = NodeArgument();
        CliCommand command = new(
            "drain",
            "Has a node save its tasks, hand them over and end. Waits until it is empty.",
            "actortrainer cluster drain 127.0.0.1:7401"
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
                call.Note($"{call.Value(node)} saves its tasks and hands them over");
                try
                {
                    await call.Client.DrainAsync(call.Value(node), call.Interrupt);
                }
                catch (OperationCanceledException)
                {
                    call.Note("draining goes on; look with 'actortrainer cluster show'");
                    throw;
                }

                call.Note($"{call.Value(node)} is empty and ends");
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    public static Argument<string> NodeArgument() => new("NODE") { Description = "The node's address or name." };
}
