using System.Collections.Concurrent;
using ActorTrainer.Akka.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Akka.Tasks;

/// <summary>What the tasks on a node share: who they are there, the way to workers, store and rows, and where each of them is.</summary>
internal sealed class TaskHost
{
    private readonly ConcurrentDictionary<TaskId, IActorRef> _here = new();
    private readonly ConcurrentDictionary<TaskId, bool> _withoutSnapshot = new();
    private readonly ConcurrentDictionary<TaskId, ParkedRun> _parked = new();

    /// <summary>The node's life.</summary>
    public required EntityHome Home { get; init; }

    /// <summary>Shards of the cluster.</summary>
    public required int NumberOfShards { get; init; }

    /// <summary>Starts what the tasks ask for; returns at once.</summary>
    public required Action<TaskEffect> Effects { get; init; }

    /// <summary>The node's <see cref="SlotActor"/>.</summary>
    public required IActorRef Slots { get; init; }

    /// <summary>Where the tasks' rows go.</summary>
    public required ITaskRows Rows { get; init; }

    /// <summary>Monotonic time.</summary>
    public required Func<TimeSpan> Elapsed { get; init; }

    /// <summary>The wall clock, for what lists show.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where tasks log.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Told of every actor that has ended; see <see cref="TaskStopped"/>.</summary>
    public IActorRef Starter { get; set; } = ActorRefs.Nobody;

    /// <summary>The node goes: tasks that are handed over say so.</summary>
    public bool Leaving { get; set; }

    public TimeSpan Now => Elapsed();

    /// <summary>The tasks whose actors are here.</summary>
    public ICollection<TaskId> Here => _here.Keys;

    public void Start(TaskEffect effect) => Effects(effect);

    /// <summary>Gives an input to its task, if that is here.</summary>
    public void Post(TaskInput input)
    {
        if (input.Target is not TaskId task)
        {
            return;
        }

        if (_parked.TryGetValue(task, out ParkedRun? parked))
        {
            if (parked.Add(input) is { } dropped)
            {
                Start(dropped);
            }
        }
        else if (_here.TryGetValue(task, out IActorRef? entity))
        {
            entity.Tell(input);
        }
    }

    /// <summary>Keeps the run of an actor that stops since the journal is away.</summary>
    public void Park(ParkedRun run) => _parked[run.Entity.Task] = run;

    /// <summary>The runs that wait for the journal, by task.</summary>
    public IReadOnlyDictionary<TaskId, ParkedRun> Parked => _parked;

    /// <summary>Gives a parked run to the recovered task; null: there is none.</summary>
    public ParkedRun? TakeParked(TaskId task) => _parked.TryRemove(task, out ParkedRun? run) ? run : null;

    /// <summary>Ends a parked run that nobody will adopt.</summary>
    public void EndParked(ParkedRun run)
    {
        if (_parked.TryRemove(new KeyValuePair<TaskId, ParkedRun>(run.Entity.Task, run)))
        {
            EndRunOf(run);
        }
    }

    /// <summary>Ends a run that was taken and is not the task's any more.</summary>
    public void EndRunOf(ParkedRun run)
    {
        foreach (TaskEffect effect in run.Entity.Lost())
        {
            Start(effect);
        }

        Slots.Tell(new TaskGone(run.Entity.Task, run.Actor));
    }

    public bool Has(TaskId task) => _here.ContainsKey(task);

    public void Enter(TaskId task, IActorRef entity)
    {
        _here[task] = entity;
        Rows.Enter(task, entity);
        Slots.Tell(new TaskRecovering(task));
    }

    /// <summary>Forgets an actor, unless the task has come back in another one.</summary>
    public void Leave(TaskId task, IActorRef entity, TaskStopReason reason)
    {
        _here.TryRemove(new KeyValuePair<TaskId, IActorRef>(task, entity));
        Rows.Leave(task, entity);
        if (reason != TaskStopReason.Parked)
        {
            Slots.Tell(new TaskGone(task, entity));
        }

        Starter.Tell(new TaskStopped(task, reason));
    }

    /// <summary>A snapshot of another fold version was found: the task is replayed from its first event from now on.</summary>
    public void PassOverSnapshots(TaskId task) => _withoutSnapshot[task] = true;

    public bool PassesOverSnapshots(TaskId task) => _withoutSnapshot.ContainsKey(task);
}
