using System.CommandLine;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsUnpinCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> id = new("ID") { Description = CheckpointId.Description };
        CliCommand command = new(
            "unpin",
            "Ends 'checkpoints pin': the checkpoint is kept as the others are, and the next save may remove it.",
            "actortrainer checkpoints unpin c-3-1200-k3f9a2bc"
        )
        {
            id,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                CheckpointListing listing = await CheckpointId.FindAsync(call, call.Value(id));
                await call.Client.UnpinCheckpointAsync(listing.Task.Value, listing.Checkpoint.Name, call.Interrupt);
                call.Note($"{listing.Checkpoint.Name} of {listing.Task}: is kept as the others are");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
