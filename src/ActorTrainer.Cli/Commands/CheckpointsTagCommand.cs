using System.CommandLine;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsTagCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> id = new("ID") { Description = CheckpointId.Description };
        Argument<string> name = new("NAME") { Description = "The tag: letters, digits, dots, dashes and underscores." };
        Option<bool> remove = new("--remove") { Description = "Take the tag NAME away. With a task as ID: from the one that has it." };
        CliCommand command = new(
            "tag",
            "Gives a checkpoint a name, by which it can be named as TASK:NAME from then on. It is kept as long as it has one. A name "
                + "that another checkpoint of the task has moves.",
            "actortrainer checkpoints tag c-3-1200-k3f9a2bc released",
            "actortrainer submit other.conf --from-checkpoint digits:released",
            "actortrainer checkpoints tag digits released --remove"
        )
        {
            id,
            name,
            remove,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                string tag = call.Value(name);
                if (!CheckpointTag.IsValid(tag))
                {
                    throw new UsageException($"'{tag}' cannot be the tag of a checkpoint: {CheckpointTag.Form}");
                }

                CheckpointListing listing = await FindAsync(call, call.Value(id), call.Value(remove) ? tag : null);
                (string task, string checkpoint) = (listing.Task.Value, listing.Checkpoint.Name);
                CommandAccepted accepted = call.Value(remove)
                    ? await call.Client.UntagCheckpointAsync(task, checkpoint, tag, call.Interrupt)
                    : await call.Client.TagCheckpointAsync(task, checkpoint, tag, call.Interrupt);
                call.Note(
                    call.Value(remove)
                        ? $"{checkpoint} of {task}: is no longer {task}:{tag}"
                        : $"{checkpoint} of {task}: is {task}:{tag}{(accepted.Note is { } note ? $"; {note}" : "")}"
                );
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    /// <summary>What the first argument names. Where a tag is taken from a task, that is the one that has it.</summary>
    private static Task<CheckpointListing> FindAsync(Invocation call, string id, string? removed) =>
        removed is null || CheckpointId.IsOne(id) ? CheckpointId.FindAsync(call, id) : CheckpointId.FindAsync(call, $"{id}:{removed}");
}
