using System.CommandLine;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Commands that ask one thing of one checkpoint.</summary>
internal static class CheckpointControl
{
    public static CliCommand Create(
        CliContext cli,
        GlobalOptions globals,
        string name,
        string description,
        string outcome,
        Func<ActorTrainerClient, string, string, CancellationToken, Task<CommandAccepted>> send
    )
    {
        Argument<string> id = new("ID") { Description = CheckpointId.Description };
        CliCommand command = new(name, description, $"actortrainer checkpoints {name} c-3-1200-k3f9a2bc") { id };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                CheckpointListing listing = await CheckpointId.FindAsync(call, call.Value(id));
                _ = await send(call.Client, listing.Task.Value, listing.Checkpoint.Name, call.Interrupt);
                call.Note($"{listing.Checkpoint.Name} of {listing.Task}: {outcome}");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
