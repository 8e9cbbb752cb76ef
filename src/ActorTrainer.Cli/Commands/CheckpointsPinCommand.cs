using System.CommandLine;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsPinCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> id = new("ID") { Description = CheckpointId.Description };
        CliCommand command = new(
            "pin",
            "Keeps a checkpoint, however many newer or better ones come, until it is unpinned. The task may have ended.",
            "actortrainer checkpoints pin c-3-1200-k3f9a2bc"
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
                await call.Client.PinCheckpointAsync(listing.Task.Value, listing.Checkpoint.Name, call.Interrupt);
                call.Note($"{listing.Checkpoint.Name} of {listing.Task}: is kept until 'actortrainer checkpoints unpin'");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
