using System.CommandLine;
using ActorTrainer.Client;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>A checkpoint of any task, by its own name or by its task's.</summary>
internal static class CheckpointId
{
    public const string Description = "A checkpoint's name, or a task's: then the one that it would go on from.";

    /// <summary>The option of commands that submit a task.</summary>
    public static Option<string?> StartOption() =>
        new("--from-checkpoint")
        {
            Description =
                "Start from a checkpoint of another task, of which it gets a copy: a checkpoint's name, or a task's for the one that "
                + "that task would go on from.",
            HelpName = "ID",
        };

    /// <summary>The task as it starts from what the option names.</summary>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public static async Task<TaskSpec> StartFromAsync(Invocation call, TaskSpec spec, string? id) =>
        id is null ? spec
        // Whether there is one is said by who submits: a task that is there already may have outlived it.
        : CheckpointNames.TryParse(id, out _) ? spec with { FromCheckpoint = id }
        : spec with { FromCheckpoint = (await FindAsync(call, id)).Checkpoint.Name };

    /// <exception cref="CommandFailedException">There is none.</exception>
    public static async Task<CheckpointListing> FindAsync(Invocation call, string id)
    {
        if (CheckpointNames.TryParse(id, out _))
        {
            CheckpointList all = await call.Client.ListCheckpointsAsync(null, call.Interrupt);
            return all.Checkpoints.FirstOrDefault(listing => listing.Checkpoint.Name == id)
                ?? throw new CommandFailedException(
                    $"no task of this cluster has a checkpoint '{id}'; list them with 'actortrainer checkpoints ls'"
                );
        }

        CheckpointList list = await call.Client.ListCheckpointsAsync(id, call.Interrupt);
        return list.Checkpoints.FirstOrDefault(listing => listing is { Damaged: false, Overtaken: false, SetAside: false })
            ?? list.Checkpoints.FirstOrDefault(listing => !listing.Damaged)
            ?? throw new CommandFailedException($"task '{id}' has no checkpoint that can be read");
    }
}
