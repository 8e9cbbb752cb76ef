using System.CommandLine;
using ActorTrainer.Client;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>A checkpoint of any task: by its own name, by a tag of its task's, or by its task's name.</summary>
internal static class CheckpointId
{
    public const string Description =
        "A checkpoint's name, TASK:TAG for one with a tag, or a task's name for the one that it would go on from.";

    /// <summary>The option of commands that submit a task.</summary>
    public static Option<string?> StartOption() =>
        new("--from-checkpoint")
        {
            Description =
                "Start from a checkpoint of another task, of which it gets a copy: a checkpoint's name, TASK:TAG, or a task's name for "
                + "the one that that task would go on from.",
            HelpName = "ID",
        };

    /// <summary>The task as it starts from what the option names.</summary>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public static async Task<TaskSpec> StartFromAsync(Invocation call, TaskSpec spec, string? id) =>
        id is null ? spec
        // Whether there is one is said by who submits: a task that is there already may have outlived it.
        : CheckpointNames.TryParse(id, out _) ? spec with { FromCheckpoint = id }
        : spec with { FromCheckpoint = (await FindAsync(call, id)).Checkpoint.Name };

    /// <summary>Whether it names one checkpoint, and not a task.</summary>
    public static bool IsOne(string id) => CheckpointNames.TryParse(id, out _) || id.Contains(':', StringComparison.Ordinal);

    /// <summary>The checkpoint of a task that has this name, or this tag.</summary>
    /// <exception cref="CommandFailedException">There is none.</exception>
    public static async Task<CheckpointListing> FindAsync(Invocation call, string task, string name)
    {
        CheckpointList list = await call.Client.ListCheckpointsAsync(task, call.Interrupt);
        if (list.Checkpoints.FirstOrDefault(listing => listing.Checkpoint.Name == name || listing.Tags.Contains(name)) is { } found)
        {
            return found;
        }

        string what = CheckpointNames.TryParse(name, out _) ? $"no checkpoint '{name}'" : $"no checkpoint with the tag '{name}'";
        throw new CommandFailedException($"task '{task}' has {what}; list them with 'actortrainer checkpoints ls {task}'");
    }

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

        if (id.Split(':', 2) is [string task, string tag])
        {
            return await FindAsync(call, task, tag);
        }

        CheckpointList list = await call.Client.ListCheckpointsAsync(id, call.Interrupt);
        return list.Checkpoints.FirstOrDefault(listing => listing is { Damaged: false, Overtaken: false, SetAside: false })
            ?? list.Checkpoints.FirstOrDefault(listing => !listing.Damaged)
            ?? throw new CommandFailedException($"task '{id}' has no checkpoint that can be read");
    }
}
