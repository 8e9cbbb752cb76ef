using System.Collections.Concurrent;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>What the tasks on a node share: who they are there, the way to workers, store and rows, and where each of them is.</summary>
internal sealed class TaskHost
{
    private readonly ConcurrentDictionary<TaskId, Resident> _here = new();
    private readonly ConcurrentDictionary<TaskId, (long From, string Reason)> _passedOver = new();
    private readonly ConcurrentDictionary<TaskId, bool> _long = new();
    private readonly ConcurrentDictionary<TaskId, ParkedRun> _parked = new();
    private readonly ConcurrentDictionary<TaskId, WarmRun> _warm = new();

    /// <summary>The last numbers of runs that were given up before the journal knew of them.</summary>
    private readonly ConcurrentDictionary<TaskId, int> _spent = new();

    /// <summary>Held while an input, or all that a task has not come to, goes from one hand to another.</summary>
    private readonly Lock _posting = new();

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

    /// <summary>Keeps the tasks' metrics over time; null: nobody does.</summary>
    public MetricKeeper? Metrics { get; init; }

    /// <summary>Deletes what is not needed any more; null: nothing is deleted here.</summary>
    public TaskHistory? History { get; init; }

    /// <summary>Told of every task that is archived; returns at once.</summary>
    public Action<TaskId> Retired { get; init; } = _ => { };

    /// <summary>A task that waits is kept in memory that long, and then its row alone; whoever gives the slots wakes it.</summary>
    public TimeSpan RestAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many of a task's newest events stay at least; null: all.</summary>
    public int? KeepEvents { get; init; }

    /// <summary>
    /// Whether a task may have so many events that there is a snapshot of it, by what is known here: a guess, which a wrong one mends.
    /// Null: all may.
    /// </summary>
    public Func<TaskId, bool>? IsLong { get; init; }

    /// <summary>Which snapshots are read.</summary>
    public SnapshotVersions Snapshots { get; init; } = SnapshotVersions.OfProduct;

    /// <summary>Shows a task as held that cannot be recovered; null: there is no place to show it.</summary>
    public Func<TaskId, string, Task>? Hold { get; init; }

    /// <summary>Monotonic time.</summary>
    public required Func<TimeSpan> Elapsed { get; init; }

    /// <summary>The wall clock, for what lists show.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where tasks log.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Told of every actor that has ended; see <see cref="TaskStopped"/>.</summary>
    public IActorRef Starter { get; set; } = ActorRefs.Nobody;

    /// <summary>The node goes: tasks that are handed over say so.</summary>
    public bool Leaving { get; private set; }

    public TimeSpan Now => Elapsed();

    /// <summary>Starts what a task asks for; returns at once.</summary>
    public void Start(IEnumerable<TaskEffect> effects)
    {
        foreach (TaskEffect effect in effects)
        {
            Effects(effect);
        }
    }

    /// <summary>Gives an input to its task, if that is here.</summary>
    public void Post(TaskInput input)
    {
        if (input.Target is not TaskId task)
        {
            return;
        }

        if (_warm.TryGetValue(task, out WarmRun? warm) && warm.Take(input))
        {
            return;
        }

        ReleaseStaged? dropped = null;
        IActorRef? entity = null;
        lock (_posting)
        {
            if (_parked.TryGetValue(task, out ParkedRun? parked))
            {
                dropped = parked.Add(input);
            }
            else if (_here.TryGetValue(task, out Resident? resident))
            {
                resident.Inbox.Add(input);
                entity = resident.Entity;
            }
        }

        if (dropped is not null)
        {
            Effects(dropped);
        }

        entity?.Tell(InputsWait.Instance);
    }

    /// <summary>Gets a worker ready for a task that is about to come here; null when the task is here already.</summary>
    /// <param name="task">The task.</param>
    /// <param name="spec">What to run.</param>
    /// <param name="row">Its row: the checkpoint, the term and the number of the run follow from it.</param>
    public WarmRun? Warm(TaskId task, TaskSpec spec, TaskRow row)
    {
        if (_here.ContainsKey(task) || _parked.ContainsKey(task))
        {
            return null;
        }

        int number = Math.Max(row.Summary.Runs, SpentRuns(task)) + 1;
        TaskEntity entity = new(task, Home, journalsProgress: false);
        WarmRun run = new(entity, Start, GiveUp, Elapsed);
        if (_warm.GetOrAdd(task, run) is { } known && known != run)
        {
            return known;
        }

        run.Begin(spec, row.Summary.LastCheckpoint, row.Term + 1, number);
        if (_here.ContainsKey(task) && _warm.TryRemove(new KeyValuePair<TaskId, WarmRun>(task, run)))
        {
            // Its actor came meanwhile, and may have looked for a warmed run already.
            run.End();
        }

        return run;
    }

    /// <summary>Ends what a task runs here, whose owner here is gone.</summary>
    public void GiveUp(TaskEntity entity)
    {
        if (entity.LastRun > (entity.State?.Runs ?? 0))
        {
            _spent[entity.Task] = entity.LastRun;
        }
        else
        {
            _ = _spent.TryRemove(entity.Task, out _);
        }

        Start(entity.Lost());
    }

    /// <summary>Runs up to this number were given up here before the journal knew of them; their numbers are not used again.</summary>
    public int SpentRuns(TaskId task) => _spent.GetValueOrDefault(task);

    /// <summary>Gives a warmed run, with the task as far as it is known, to the task's actor; null: there is none.</summary>
    public TaskEntity? TakeWarm(TaskId task) => _warm.TryRemove(task, out WarmRun? run) ? run.Give() : null;

    /// <summary>Ends warmed runs whose tasks have not come in time.</summary>
    public void EndWarm(TimeSpan olderThan)
    {
        foreach (WarmRun run in _warm.Values.Where(r => Now - r.Since > olderThan))
        {
            _warm.TryRemove(new KeyValuePair<TaskId, WarmRun>(run.Task, run));
            run.End();
        }
    }

    /// <summary>Keeps the run of an actor that stops since the journal is away.</summary>
    /// <param name="run">The run.</param>
    /// <param name="inbox">What the actor has not come to: the run keeps it.</param>
    public void Park(ParkedRun run, TaskInbox inbox)
    {
        List<ReleaseStaged> dropped = [];
        lock (_posting)
        {
            while (inbox.Take() is { } input)
            {
                if (run.Add(input) is { } staged)
                {
                    dropped.Add(staged);
                }
            }

            _parked[run.Entity.Task] = run;
        }

        Start(dropped);
    }

    /// <summary>The runs that wait for the journal, by task.</summary>
    public IReadOnlyDictionary<TaskId, ParkedRun> Parked => _parked;

    /// <summary>Gives a parked run to the recovered task; null: there is none.</summary>
    /// <param name="task">The task.</param>
    /// <param name="inbox">Of its new actor: what happened meanwhile comes there first.</param>
    public ParkedRun? TakeParked(TaskId task, TaskInbox inbox)
    {
        lock (_posting)
        {
            if (!_parked.TryRemove(task, out ParkedRun? run))
            {
                return null;
            }

            foreach (TaskInput input in run.Inputs)
            {
                inbox.Add(input);
            }

            return run;
        }
    }

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
        GiveUp(run.Entity);
        Slots.Tell(new TaskGone(run.Entity.Task, run.Actor));
    }

    public bool Has(TaskId task) => _here.ContainsKey(task);

    /// <summary>A task's actor begins: inputs come to it from now on.</summary>
    public void Enter(TaskId task, IActorRef entity, TaskInbox inbox)
    {
        _here[task] = new Resident(entity, inbox);
        Rows.Enter(task, entity);
        Slots.Tell(new TaskRecovering(task));
    }

    /// <summary>The node was told to go: every task that is here hears of it before anything else happens to it.</summary>
    public void AnnounceLeave()
    {
        Leaving = true;
        foreach (Resident resident in _here.Values)
        {
            resident.Entity.Tell(NodeLeaves.Instance);
        }
    }

    /// <summary>Forgets an actor, unless the task has come back in another one.</summary>
    public void Leave(TaskId task, IActorRef entity, TaskStopReason reason)
    {
        if (_here.TryGetValue(task, out Resident? resident) && resident.Entity.Equals(entity))
        {
            _here.TryRemove(new KeyValuePair<TaskId, Resident>(task, resident));
        }

        Rows.Leave(task, entity);
        Metrics?.Leave(task);
        if (reason != TaskStopReason.Parked)
        {
            Slots.Tell(new TaskGone(task, entity));
        }

        Starter.Tell(new TaskStopped(task, reason));
    }

    /// <summary>
    /// A snapshot that cannot be used was found: from now on the task is recovered from an older one, or from its first event.
    /// </summary>
    public void PassOverSnapshots(TaskId task, long from, string reason) => _passedOver[task] = (from, reason);

    /// <summary>Whether a task's snapshots are looked for when it is recovered.</summary>
    public bool LooksForSnapshots(TaskId task) => IsLong is null || _long.ContainsKey(task) || IsLong(task);

    /// <summary>A task has more events than was thought: its snapshots are looked for from now on.</summary>
    public void FoundLong(TaskId task) => _long[task] = true;

    /// <summary>Where the oldest snapshot of a task is that was found to be of no use, and why; null: none was.</summary>
    public (long From, string Reason)? SnapshotsPassedOver(TaskId task) =>
        _passedOver.TryGetValue(task, out (long From, string Reason) passed) ? passed : null;

    private sealed record Resident(IActorRef Entity, TaskInbox Inbox);
}
