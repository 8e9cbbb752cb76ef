using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>
/// One training task on the node that owns it: takes commands, inputs and time, hands back events and effects. No I/O, no clock, no
/// thread. Engines differ in how they persist; every one of them drives this.
/// </summary>
/// <remarks>
/// The order is the duty of the actor around it: one input at a time; persist the events of its step; <see cref="Commit"/> them; only then
/// start the effects and send the reply. What happens between an input and its commit is volatile and harmless if it is lost.
/// </remarks>
/// <param name="task">The task.</param>
/// <param name="home">The node.</param>
/// <param name="journalsProgress">Whether progress is journaled once a second; otherwise only what a failure makes necessary.</param>
public sealed partial class TaskEntity(TaskId task, EntityHome home, bool journalsProgress = true)
{
    /// <summary>How many lost nodes in a row hold the task.</summary>
    public const int NodeLossesToHold = 3;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private TaskRun? _run;
    private TimeSpan _retryAt;
    private TimeSpan _formerGoneAt = TimeSpan.MinValue;
    private TimeSpan _progressAt = TimeSpan.MinValue;
    private bool _releasing;
    private bool _nodeLeaves;
    private string _releaseReason = "";

    /// <summary>The task.</summary>
    public TaskId Task { get; } = task;

    /// <summary>The folded state; null before the submit is committed.</summary>
    public TaskState? State { get; private set; }

    /// <summary>The term under which this node owns it; 0 while it only warms up.</summary>
    public long Term { get; private set; }

    /// <summary>The number of the last run that was begun, whether or not the journal knows of it.</summary>
    public int LastRun { get; private set; }

    /// <summary>
    /// Whether the next thing that is journaled has to be preceded by an activation: a task that was recovered and only waits writes
    /// nothing.
    /// </summary>
    public bool NeedsActivation { get; private set; }

    /// <summary>
    /// The state as it is shown: a run that the journal still calls running, and whose node is lost, waits. Null before the submit.
    /// </summary>
    public TaskState? Shown =>
        NeedsActivation && State is { Status: TaskStatus.Running } state ? TaskState.Fold(Task, state, [RunGone(state)]) : State;

    /// <summary>The newest progress, journaled or not.</summary>
    public TaskProgress Progress
    {
        get
        {
            TaskProgress progress = _run?.Progress ?? State?.Progress ?? TaskProgress.None;
            return _run?.Printed is { } printed ? progress with { Output = printed.Output, Remaining = printed.Remaining } : progress;
        }
    }

    /// <summary>Whether nothing is under way for it: no worker, no state on its way into the store.</summary>
    public bool IsIdle => _run is null && IsFlushed;

    /// <summary>Whether nothing happens to it by itself any more until it gets slots or a command, so that its row is enough.</summary>
    public bool MayRest => IsIdle && !_releasing && Shown is { } shown && RestPolicy.MayRest(shown.Status);

    /// <summary>Whether a worker stands ready that was warmed before the task came to this node, and waits for the task's slots.</summary>
    public bool WaitsWarm { get; private set; }

    /// <summary>Whether a worker runs, starts or stops: the task takes its slots.</summary>
    public bool TakesSlots => _run is not null;

    /// <summary>Whether it restores a checkpoint or starts at this moment.</summary>
    public bool IsRestoring => _run is { Begun: false };

    /// <summary>Whether its worker has begun to train on this node.</summary>
    public bool IsTraining => _run is { Begun: true };

    /// <summary>Rebuilds the state.</summary>
    /// <exception cref="InvalidOperationException">The events are not those of a task.</exception>
    public void Recover(TaskState? snapshot, IEnumerable<TaskEvent> events)
    {
        State = TaskState.Fold(Task, snapshot, events);
        LastRun = Math.Max(LastRun, State?.Runs ?? 0);
    }

    /// <summary>
    /// Numbers up to this one were given to runs of which the journal knows nothing, and that were ended: what is still heard of them must
    /// not be taken for news of the next run.
    /// </summary>
    public void SkipRuns(int upTo) => LastRun = Math.Max(LastRun, upTo);

    /// <summary>Applies events that are durable now.</summary>
    public void Commit(IReadOnlyList<TaskEvent> events, TimeSpan now)
    {
        State = TaskState.Fold(Task, State, events);
        foreach (TaskEvent e in events)
        {
            if (e is TaskRetryScheduled retry)
            {
                _retryAt = now + retry.Delay;
            }
        }
    }

    /// <summary>
    /// The task is owned under a term now. A run that the journal still calls running ended with its node.
    /// </summary>
    public EntityStep Activated(long term, TimeSpan now)
    {
        Term = term;
        _releasing = false;
        if (State is null)
        {
            return EntityStep.Nothing;
        }

        List<TaskEvent> events = [new TaskActivated(term, home.Incarnation, home.Address)];
        if (State.Status == TaskStatus.Running)
        {
            events.Add(RunGone(State));
            _formerGoneAt = now + home.FencedWithin;
            if (IsHeldByLosses)
            {
                events.Add(
                    new TaskHeld(
                        $"{NodeLossesToHold} nodes in a row were lost soon after this task was started on them; "
                            + $"look at its output, then 'actortrainer tasks resume {Task}'"
                    )
                );
            }
        }

        _retryAt = now + (State.RetryDelay ?? TimeSpan.Zero);
        if (_run is not null && _run.Key.Term != term)
        {
            // Warmed for a term that never came.
            return new EntityStep(events, [.. DropRun(), new ListStoreFiles(Task, term)]);
        }

        return new EntityStep(events, [new ListStoreFiles(Task, term)]);
    }

    /// <summary>
    /// The task was recovered by its owner, under the next term. That is journaled with the first event that the task writes, except that a
    /// task which took its nodes along is held at once.
    /// </summary>
    public EntityStep Recovered(TimeSpan now)
    {
        Term = (State?.Term ?? 0) + 1;
        NeedsActivation = State is not null;
        _retryAt = now + (State?.RetryDelay ?? TimeSpan.Zero);
        WaitsWarm = _run is { End: null } warm && warm.Key.Term == Term;
        IReadOnlyList<TaskEffect> dropped = WaitsWarm ? [] : DropRun();
        return State is { Status: TaskStatus.Running } && IsHeldByLosses
            ? Activate(now) with
            {
                AfterCommit = dropped,
            }
            : new EntityStep([], dropped);
    }

    /// <summary>The activation that stands before whatever a recovered task writes first.</summary>
    public EntityStep Activate(TimeSpan now)
    {
        NeedsActivation = false;
        return Activated(Term, now);
    }

    /// <summary>Decides a command.</summary>
    public EntityStep On(TaskCommand command, TimeSpan now)
    {
        if (State is { Archived: true })
        {
            return new EntityStep([], [], ArchivedReply(Task, command));
        }

        if (command is SubmitTask submit)
        {
            return State is not null ? Accept(existed: true) : OnSubmit(submit);
        }

        if (State is null)
        {
            return Refuse($"there is no task {Task}");
        }

        return command switch
        {
            PauseTask => OnPause(now),
            ResumeTask => OnResume(),
            CancelTask => OnCancel(),
            SaveTask => OnSave(),
            RestoreTask restore => OnRestore(restore.Checkpoint),
            ArchiveTask when State.IsFinished && IsIdle => new EntityStep([new TaskArchived()], [], new CommandAccepted(Task)),
            ArchiveTask => Refuse($"task {Task} has not ended; only a task that has is archived"),
            MigrateTask when State.IsFinished => Refuse($"task {Task} has ended ({Word(State.Status)}); there is nothing to move"),
            _ => OnKeeping(command) ?? Accept(),
        };
    }

    /// <summary>Whether the task could start now if it had its slots.</summary>
    public bool WantsSlots(TimeSpan now) =>
        State is not null
        && Term > 0
        && (_run is null || WaitsWarm)
        && _saving is null
        && _staged.Count == 0
        && !_releasing
        && (
            State.Status == TaskStatus.Pending
            || (State.Status == TaskStatus.Running && NeedsActivation)
            || (State.Status == TaskStatus.Retrying && now >= _retryAt)
        );

    /// <summary>When a task that waits after a failure may start again; null: it does not wait for a time.</summary>
    public TimeSpan? StartsAgainAt => State is { Status: TaskStatus.Retrying } && _run is null ? _retryAt : null;

    /// <summary>The task gets its slots: restore and start, or go on with the worker that was warmed.</summary>
    public EntityStep Grant(TimeSpan now)
    {
        if (!WaitsWarm)
        {
            return IsHeldByDamage ? new EntityStep([Held(State!)], []) : Begin(State!.Spec, State.LastUsable, Term, ++LastRun, now);
        }

        WaitsWarm = false;
        return ContinueWarm(_run!, now);
    }

    /// <summary>
    /// Warms up before the ownership comes: starts the worker and restores the last checkpoint for the run that will follow.
    /// </summary>
    public EntityStep Warm(TaskSpec spec, CheckpointRef? checkpoint, long expectedTerm, int run, TimeSpan now)
    {
        LastRun = run;
        return Begin(spec, checkpoint, expectedTerm, run, now);
    }

    /// <summary>Whether everything that can be done before the ownership comes is done.</summary>
    public bool IsWarm => _run is { RestoreSettled: true } run && (run.Ready || run.IsCommand);

    /// <summary>The task must go: save, stop, let go. Answered by a step with <see cref="EntityStep.Release"/>, at once or later.</summary>
    public EntityStep Releasing(long toIncarnation, NodeAddress? to, string reason, TimeSpan now)
    {
        _releasing = true;
        _releaseReason = reason;
        if (_run is null)
        {
            return IsFlushed ? new EntityStep([], [], Release: true) : EntityStep.Nothing;
        }

        List<TaskEvent> events = to is NodeAddress address && _run.Begun ? [new TaskMigrating(toIncarnation, address, reason)] : [];
        return new EntityStep(events, StopSaving(_run, StopCause.Release, reason, now));
    }

    /// <summary>
    /// The node was told to go. Nothing that becomes of the run from now on counts against the task: not the end of the node, nor an end of
    /// its worker. Of a run that has shown that it does not take nodes along nothing has to be journaled for that.
    /// </summary>
    public EntityStep NodeLeaves(TimeSpan now, DeterministicRandom random)
    {
        _nodeLeaves = true;
        EntityStep ended = _run is { End: not null } ? FinishIfFlushed(now, random) : EntityStep.Nothing;
        return ended.IsNothing && _run is { Begun: true } && State is { Status: TaskStatus.Running, Proven: false, NodeLeaving: false }
            ? new EntityStep([new TaskNodeLeaving(home.Address)], [])
            : ended;
    }

    /// <summary>The hand-over did not happen: the task stays and goes on.</summary>
    public void ReleaseAborted()
    {
        _releasing = false;
        if (_run is { Stop: StopCause.Release, StopSent: false } run)
        {
            run.Stop = StopCause.None;
            run.SaveDeadline = null;
        }
    }

    /// <summary>Another owner rules: end the worker without grace and forget. Nothing is persisted.</summary>
    public IReadOnlyList<TaskEffect> Lost()
    {
        Term = 0;
        return DropRun();
    }

    /// <summary>What a task that is archived answers: its name is, or is about to be, free for another one.</summary>
    public static CommandReply ArchivedReply(TaskId task, TaskCommand command) =>
        command switch
        {
            ArchiveTask => new CommandAccepted(task),
            SubmitTask => new CommandUnavailable($"task {task} of this name is just being archived"),
            _ => new CommandRefused($"task {task} has ended and is archived", NotFound: true),
        };

    /// <summary>What is answered to a submit whose name is that of a task with another specification.</summary>
    /// <param name="task">The task that has the name.</param>
    /// <param name="known">Its specification.</param>
    /// <param name="submitted">The other one. Bundles that differ are named: nobody sees that who looks at the task file.</param>
    public static CommandRefused NameTaken(TaskId task, TaskSpec known, TaskSpec submitted)
    {
        string difference =
            (known.Bundle, submitted.Bundle) is ({ } before, { } now) && before.Hash != now.Hash
                ? $": the files that it bundles are others ({before.ShortHash} there, {now.ShortHash} now)"
                : "";
        return new CommandRefused(
            $"the name '{known.Name}' belongs to task {task}, which has another specification{difference}; choose another name"
        );
    }

    /// <summary>A task whose replay or fold failed waits for a person.</summary>
    public static EntityStep Hold(string reason) => new([new TaskHeld(reason)], []);

    private EntityStep OnPause(TimeSpan now)
    {
        if (State!.IsFinished || State.Status == TaskStatus.Held)
        {
            return Refuse($"task {Task} is {Word(State.Status)}; only a task that runs or waits can be paused");
        }

        if (State.Status == TaskStatus.Paused)
        {
            return Accept();
        }

        IReadOnlyList<TaskEffect> effects = _run is null ? [] : StopSaving(_run, StopCause.User, "pause", now);
        return new EntityStep([.. PrintedLast(), new TaskPaused()], effects, new CommandAccepted(Task));
    }

    private EntityStep OnResume() =>
        State!.Status switch
        {
            TaskStatus.Paused or TaskStatus.Held or TaskStatus.Failed => new EntityStep([new TaskResumed()], [], Resumed()),
            TaskStatus.Completed or TaskStatus.Cancelled => Refuse(
                $"task {Task} is {Word(State.Status)}; submit it again under another name"
            ),
            _ => Accept(),
        };

    private EntityStep OnCancel()
    {
        if (State!.Status == TaskStatus.Cancelled)
        {
            return Accept();
        }

        if (State.IsFinished)
        {
            return Refuse($"task {Task} has ended already ({Word(State.Status)})");
        }

        IReadOnlyList<TaskEffect> effects = _run is null ? [] : StopNow(_run, StopCause.User, State.Spec.Grace);
        return new EntityStep([.. PrintedLast(), new TaskCancelled()], effects, new CommandAccepted(Task));
    }

    private EntityStep OnSave()
    {
        if (_run is not { Begun: true, Stop: StopCause.None })
        {
            return Refuse($"task {Task} is not training now; there is nothing to save");
        }

        return _run.IsCommand
            ? Refuse($"task {Task} runs a command, which saves by itself into ACTORTRAINER_CHECKPOINT_DIR")
            : new EntityStep([], [new RequestStaging(_run.Key, "request")], new CommandAccepted(Task));
    }

    private bool IsHeldByLosses =>
        State is { Proven: false, NodeLeaving: false } state
        && state.Incarnation != home.Incarnation
        && state.NodeLosses + 1 >= NodeLossesToHold;

    private TaskInterrupted RunGone(TaskState state) =>
        state.Incarnation == home.Incarnation
            ? new(InterruptionReason.JournalAway, $"the journal could not be reached from node {state.Node}, which ended the run")
        : state.NodeLeaving
            ? new(InterruptionReason.NodeStopping, $"node {state.Node} was told to stop, and ended before it had handed the task over")
        : new(InterruptionReason.NodeLost, $"node {state.Node} was lost");

    private EntityStep Accept(bool existed = false) => new([], [], new CommandAccepted(Task, existed));

    private static EntityStep Refuse(string reason) => new([], [], new CommandRefused(reason));

#pragma warning disable CA1308 // Status words are shown in lower case.
    private static string Word(TaskStatus status) => status.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
