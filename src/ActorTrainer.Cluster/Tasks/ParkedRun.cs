using ActorTrainer.Core.Tasks;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// A run whose task's actor had to stop because the journal could not be reached. The worker trains on; what it does meanwhile is kept here
/// until the task is recovered, or its time is over. <see cref="TaskHost"/> lets one thread at a time add to it.
/// </summary>
/// <param name="actor">The actor that has stopped; it still counts for the node's slots.</param>
/// <param name="entity">The task with its run, as it was.</param>
/// <param name="step">What could not be journaled, or may have been.</param>
/// <param name="sequence">The last event that is known to be journaled.</param>
internal sealed class ParkedRun(IActorRef actor, TaskEntity entity, EntityStep step, long sequence)
{
    private readonly List<TaskInput> _inputs = [];

    public IActorRef Actor { get; } = actor;

    public TaskEntity Entity { get; } = entity;

    public EntityStep Step { get; } = step;

    /// <summary>
    /// When it ends unless the journal has answered before: somebody else may have the task by then. Null: no member is out of reach.
    /// </summary>
    public TimeSpan? Deadline { get; set; }

    /// <summary>Keeps an input. Of states that the worker stages only the newest is worth its room.</summary>
    /// <returns>A staged state that is not needed any more, or null.</returns>
    public ReleaseStaged? Add(TaskInput input)
    {
        int older = input switch
        {
            WorkerProgressed => _inputs.FindIndex(i => i is WorkerProgressed),
            WorkerPrinted => _inputs.FindIndex(i => i is WorkerPrinted),
            WorkerStaged => _inputs.FindIndex(i => i is WorkerStaged),
            _ => -1,
        };
        ReleaseStaged? dropped =
            older >= 0 && _inputs[older] is WorkerStaged staged ? new ReleaseStaged(staged.Run, staged.State.Id) : null;
        if (older >= 0)
        {
            _inputs.RemoveAt(older);
        }

        _inputs.Add(input);
        return dropped;
    }

    /// <summary>What happened meanwhile, in order.</summary>
    public IReadOnlyList<TaskInput> Inputs => _inputs;

    /// <summary>What the recovered task says of the step that could not be journaled.</summary>
    /// <param name="recovered">The recovered state.</param>
    /// <param name="last">The sequence of its last event.</param>
    public ParkedOutcome OutcomeFor(TaskState? recovered, long last)
    {
        // A term belongs to one activation: events under it are this actor's own. A first activation is among the step's events itself.
        bool journaled = last == sequence + Step.Persist.Count && recovered?.Term == Entity.Term;
        bool untouched = last == sequence && recovered?.Term == (Entity.State?.Term ?? 0);
        return journaled ? ParkedOutcome.Journaled
            : untouched ? ParkedOutcome.NotJournaled
            : ParkedOutcome.Lost;
    }
}

/// <summary>What became of the step of a parked run.</summary>
internal enum ParkedOutcome
{
    /// <summary>It is in the journal although nobody heard of it.</summary>
    Journaled,

    /// <summary>It is not, and nothing else is.</summary>
    NotJournaled,

    /// <summary>Another owner has had the task: the run ends.</summary>
    Lost,
}
