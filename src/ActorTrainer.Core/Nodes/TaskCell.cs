using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>A task on this node, with the append that is under way and the inputs that wait behind it.</summary>
internal sealed class TaskCell(TaskEntity entity, int shard)
{
    public TaskEntity Entity { get; } = entity;

    public int Shard { get; } = shard;

    public long LastSequence { get; set; }

    /// <summary>The append without an answer; nothing else is done for the task meanwhile.</summary>
    public PendingAppend? Pending { get; set; }

    /// <summary>What arrived meanwhile.</summary>
    public LinkedList<CellWork> Waiting { get; } = [];

    /// <summary>A step to take before anything else once the append is through.</summary>
    public Func<EntityStep>? AfterPending { get; set; }

    /// <summary>The entity has let go.</summary>
    public bool Released { get; set; }

    /// <summary>Slots of a task that only warms up and has no state yet.</summary>
    public int WarmSlots { get; init; } = 1;

    /// <summary>When a warmed task that was never handed over is given up; null for an owned one.</summary>
    public TimeSpan? WarmUntil { get; set; }

    /// <summary>Queues an input. Only the newest progress is worth keeping.</summary>
    public void Enqueue(CellWork work)
    {
        if (work.Input is WorkerProgressed && Waiting.Last?.Value.Input is WorkerProgressed)
        {
            Waiting.RemoveLast();
        }

        Waiting.AddLast(work);
    }
}

/// <summary>An input or a command for a task.</summary>
/// <param name="Input">The input, or null.</param>
/// <param name="Command">The command, or null.</param>
/// <param name="Reply">Where the command's answer goes.</param>
internal sealed record CellWork(TaskInput? Input, TaskCommand? Command, Action<CommandReply>? Reply);

/// <summary>An append on its way. Sent again, the same, until the journal says what became of it.</summary>
/// <param name="Append">What was sent.</param>
/// <param name="Step">What follows when it is durable.</param>
/// <param name="Reply">Where the command's answer goes.</param>
internal sealed record PendingAppend(TaskAppend Append, EntityStep Step, Action<CommandReply>? Reply)
{
    /// <summary>When it is sent again after an unknown outcome; null while an answer is awaited.</summary>
    public TimeSpan? AgainAt { get; set; }

    /// <summary>What else to do once it is accepted.</summary>
    public Action? Then { get; init; }
}
