using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using Akka.Actor;

namespace ActorTrainer.Cluster.Rows;

/// <summary>Where the actors of a node hand in their tasks' rows. All methods return at once.</summary>
internal interface ITaskRows
{
    /// <summary>An actor keeps a task's row from now on: its first write ends the claim of whoever kept it before.</summary>
    void Enter(TaskId task, IActorRef entity);

    /// <summary>
    /// Brings a row up to date; of several that wait, the last counts. Should another owner keep the row by now, the actor is told
    /// <see cref="RowRefused"/>.
    /// </summary>
    /// <param name="entity">The actor that has entered.</param>
    /// <param name="row">The row.</param>
    /// <param name="checkpoints">The task's checkpoints, newest first; null: they have not changed.</param>
    void Put(IActorRef entity, TaskRow row, IReadOnlyList<CheckpointListing>? checkpoints);

    /// <summary>Ends when nothing of a task waits to be written.</summary>
    Task FlushAsync(TaskId task);

    /// <summary>The actor has ended; what it handed in is still written.</summary>
    void Leave(TaskId task, IActorRef entity);
}

/// <summary>Another owner keeps the task's row, or the row knows later events: the task has been recovered elsewhere.</summary>
internal sealed record RowRefused(TaskId Task) : INoSerializationVerificationNeeded;
