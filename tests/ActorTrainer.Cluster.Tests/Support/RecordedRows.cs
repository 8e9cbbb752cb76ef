using System.Collections.Concurrent;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>Rows that are handed in and kept, in the place of a database.</summary>
internal sealed class RecordedRows : ITaskRows
{
    private readonly ConcurrentQueue<TaskRow> _put = new();

    /// <summary>All that were handed in, in order.</summary>
    public IReadOnlyList<TaskRow> Put => [.. _put];

    /// <summary>The last list of checkpoints that was handed in.</summary>
    public IReadOnlyList<CheckpointListing> Checkpoints { get; private set; } = [];

    public void Enter(TaskId task, IActorRef entity) { }

    void ITaskRows.Put(IActorRef entity, TaskRow row, IReadOnlyList<CheckpointListing>? checkpoints)
    {
        Checkpoints = checkpoints ?? Checkpoints;
        _put.Enqueue(row);
    }

    /// <summary>Ends when rows count as written.</summary>
    public Task Written { get; set; } = Task.CompletedTask;

    public Task FlushAsync(TaskId task) => Written;

    public void Leave(TaskId task, IActorRef entity) { }
}
