using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster;

/// <content>
/// A task that starts from another one's checkpoint gets a copy of its own before it is born, so that the other task's retention takes
/// nothing from it. A copy whose task is not born after all is garbage that the task's owner condemns once it is.
/// </content>
public sealed partial class TaskClient
{
    /// <summary>
    /// The checkpoint that a new task is to start from. None where it starts from nothing, or is there already: then what it started from
    /// may be gone.
    /// </summary>
    private async Task<(CheckpointListing? Source, CommandReply? Refusal)> FindSourceAsync(
        ClusterSession session,
        TaskSpec spec,
        CancellationToken cancellationToken
    )
    {
        if (spec.FromCheckpoint is not { } name || await IsBornAsync(session, spec.Name, cancellationToken))
        {
            return (null, null);
        }

        IReadOnlyList<CheckpointListing> listed = await ListCheckpointsAsync(null, cancellationToken);
        return listed.FirstOrDefault(listing => listing.Checkpoint.Name == name) switch
        {
            null => (
                null,
                new CommandRefused(
                    $"no task of cluster '{ClusterName}' has a checkpoint '{name}'; 'actortrainer checkpoints ls' lists those it has",
                    NotFound: true
                )
            ),
            { Damaged: true } damaged => (
                null,
                new CommandRefused(
                    $"checkpoint {name} is damaged; 'actortrainer checkpoints ls {damaged.Task}' lists the others of its task"
                )
            ),
            { } source => (source, null),
        };
    }

    private static async Task<bool> IsBornAsync(ClusterSession session, string name, CancellationToken cancellationToken)
    {
        TaskId? task = session.Index.Find(name)?.Summary.Task ?? await session.Rows.FindNameAsync(name, cancellationToken);
        return task is { } known && await session.Rows.SequenceOfAsync(known, cancellationToken) > 0;
    }

    private Task<CheckpointRef> CopyAsync(CheckpointListing source, TaskId task, CancellationToken cancellationToken)
    {
        string name;
        lock (_drawing)
        {
            name = CheckpointNames.Create(0, source.Checkpoint.Step, _random);
        }

        return store.CopyAsync(source.Task, source.Checkpoint, task, name, cancellationToken);
    }
}
