using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <content>A run from its slots to its end.</content>
public sealed partial class TaskEntity
{
    /// <summary>Something became of an effect, or the worker did something.</summary>
    public EntityStep On(TaskInput input, TimeSpan now, Identity.DeterministicRandom random) =>
        input switch
        {
            CheckpointStored stored => OnStored(stored, now, random),
            CheckpointStoreFailed failed => OnStoreFailed(failed, now, random),
            StoreFilesListed listed => OnStoreFiles(listed),
            _ when RunOf(input) is not RunKey key || _run is null || _run.Key != key => EntityStep.Nothing,
            WorkerStaged staged => OnStaged(_run, staged, now, random),
            WorkerStageFailed failed => OnStageFailed(_run, failed),
            WorkerWarned warned => new EntityStep([new TaskWarned(warned.Detail)], []),
            WorkerStarted started => OnStarted(_run, started.Pid, now),
            WorkerStartFailed failed => OnStartFailed(_run, failed, now, random),
            WorkerPreparing preparing => OnPreparing(_run, preparing),
            WorkerReady => OnReady(_run, now),
            WorkerPhaseChanged changed => OnPhase(_run, changed.Phase, now),
            WorkerActive => OnPhase(_run, _run.Phase, now),
            WorkerProgressed progressed => OnProgress(_run, progressed.Progress, now),
            WorkerPrinted printed => OnPrinted(_run, printed),
            WorkerDone done => OnDone(_run, done),
            WorkerExited exited => OnEnded(_run, new RunEnd(exited.ExitCode, exited.Signal, exited.Error, exited.LastLines), now, random),
            WorkerLost lost => OnLost(_run, lost, now, random),
            CheckpointRestored restored => OnRestored(_run, restored, now),
            CheckpointUnreadable unreadable => OnUnreadable(_run, unreadable, now),
            _ => EntityStep.Nothing,
        };

    /// <summary>Time went on: watchdog, deadlines, things to try again.</summary>
    public EntityStep Tick(TimeSpan now, Identity.DeterministicRandom random)
    {
        if (_saveAgainAt is TimeSpan again && now >= again)
        {
            _saveAgainAt = null;
            return new EntityStep([], NextSave(now, random));
        }

        if (_run is not TaskRun run || State is null)
        {
            return EntityStep.Nothing;
        }

        if (run.VerdictAt is not null)
        {
            return FinishIfFlushed(now, random);
        }

        if (run.RestoreAgainAt is TimeSpan restoreAgain && now >= restoreAgain && run.Restore is not null)
        {
            run.RestoreAgainAt = null;
            return new EntityStep([], [Restoring(run, run.Restore)]);
        }

        if (run.SaveDeadline is TimeSpan deadline && now >= deadline)
        {
            return new EntityStep([], StopNow(run, run.Stop, State.Spec.Grace));
        }

        if (run.Stop == StopCause.None && run.End is null && run.Limit(State.Spec.Stall) is TimeSpan limit && now - run.PhaseSince > limit)
        {
            return new EntityStep([], StopNow(run, StopCause.Stalled, State.Spec.Grace));
        }

        if (run.Begun && !State.Proven && now - run.BegunAt >= SettledAfter)
        {
            return new EntityStep([new TaskProgressed(Progress, Settled: true)], []);
        }

        return EntityStep.Nothing;
    }

    private EntityStep Begin(TaskSpec spec, CheckpointRef? checkpoint, long term, int number, TimeSpan now)
    {
        TaskRun run = new(new RunKey(Task, term, number), spec.Command is not null, now) { Restore = checkpoint };
        _run = run;
        run.RestoreSettled = checkpoint is null;
        run.FromNothing = Term == term ? WhyFromNothing(checkpoint) : null;
        List<TaskEffect> effects = [];
        if (checkpoint is not null)
        {
            effects.Add(Restoring(run, checkpoint));
        }

        // A C# trainer starts and initialises while its checkpoint is restored. A command looks for its files when it starts.
        if (!run.IsCommand)
        {
            run.WorkerRequested = true;
            effects.Add(new StartWorker(run.Key, spec, checkpoint is not null, checkpoint?.Step ?? 0));
        }
        else if (checkpoint is null && Term == term)
        {
            run.WorkerRequested = true;
            effects.Add(new StartWorker(run.Key, spec, HasRestore: false));
        }

        return new EntityStep([], effects);
    }

    /// <summary>After an activation that found the run warmed: go on where the warm-up ended.</summary>
    public EntityStep Continue(TimeSpan now)
    {
        if (_run is not TaskRun run || State is null || State.Status is not (TaskStatus.Pending or TaskStatus.Retrying))
        {
            return _run is null ? EntityStep.Nothing : new EntityStep([], DropRun());
        }

        return ContinueWarm(run, now);
    }

    private EntityStep ContinueWarm(TaskRun run, TimeSpan now)
    {
        if (IsHeldByDamage)
        {
            return new EntityStep([Held(State!)], StopNow(run, StopCause.User, TimeSpan.Zero));
        }

        CheckpointRef? wanted = State!.LastUsable;
        if (wanted?.Name != run.Restore?.Name)
        {
            run.Restore = wanted;
            run.RestoreSettled = wanted is null;
            run.FromNothing = WhyFromNothing(wanted);
            run.RestoreAgainAt = null;
            return wanted is null ? ContinueRun(run, now) : new EntityStep([], [Restoring(run, wanted)]);
        }

        return ContinueRun(run, now);
    }

    private static RestoreCheckpoint Restoring(TaskRun run, CheckpointRef checkpoint) =>
        new(run.Key, checkpoint) { ForTrainer = !run.IsCommand };

    private EntityStep OnRestored(TaskRun run, CheckpointRestored restored, TimeSpan now)
    {
        if (run.Restore?.Name != restored.Checkpoint)
        {
            return EntityStep.Nothing;
        }

        run.RestoreSettled = true;
        run.Enter(run.Phase, now);
        return ContinueRun(run, now);
    }

    private EntityStep OnUnreadable(TaskRun run, CheckpointUnreadable unreadable, TimeSpan now)
    {
        if (run.Restore?.Name != unreadable.Checkpoint)
        {
            return EntityStep.Nothing;
        }

        if (!unreadable.Damaged || Term == 0)
        {
            // That the store is away is no stall of the worker.
            run.Enter(run.Phase, now);
            run.RestoreAgainAt = now + AgainAfter;
            if (run.RestoreWarned || Term != run.Key.Term)
            {
                return EntityStep.Nothing;
            }

            run.RestoreWarned = true;
            return new EntityStep(
                [new TaskWarned($"{unreadable.Checkpoint} cannot be restored now, and is tried again: {unreadable.Detail}")],
                []
            );
        }

        run.Restore = State!.UsableBeside(unreadable.Checkpoint);
        TaskCheckpointDamaged damaged = new(unreadable.Checkpoint, unreadable.Detail);
        if (run.Restore is not null)
        {
            return new EntityStep([damaged], [Restoring(run, run.Restore)]);
        }

        return OnNoneReadable(run, damaged, now);
    }

    /// <summary>No limit holds meanwhile: how long an installation takes says nothing about the task.</summary>
    private EntityStep OnPreparing(TaskRun run, WorkerPreparing preparing)
    {
        run.Preparing = true;
        return Term == run.Key.Term && State is not null && run.Stop == StopCause.None
            ? new EntityStep([new TaskPreparing(home.Address, preparing.Detail)], [])
            : EntityStep.Nothing;
    }

    private EntityStep OnReady(TaskRun run, TimeSpan now)
    {
        run.Ready = true;
        return ContinueRun(run, now);
    }

    private EntityStep OnStarted(TaskRun run, int pid, TimeSpan now)
    {
        run.Pid = pid;
        return run.IsCommand ? ContinueRun(run, now) : EntityStep.Nothing;
    }

    /// <summary>Takes the next step of the start, if everything that it needs is there.</summary>
    private EntityStep ContinueRun(TaskRun run, TimeSpan now)
    {
        // What was restored while the task was somebody else's may be older than the last checkpoint: looked at when it has its slots.
        if (Term != run.Key.Term || State is null || WaitsWarm || run.Begun || !run.RestoreSettled || run.Stop != StopCause.None)
        {
            return EntityStep.Nothing;
        }

        if (run.IsCommand && !run.WorkerRequested)
        {
            run.WorkerRequested = true;
            return new EntityStep([], [new StartWorker(run.Key, State.Spec, run.Restore is not null, run.Restore?.Step ?? 0)]);
        }

        if (run.IsCommand ? run.Pid == 0 : !run.Ready)
        {
            return EntityStep.Nothing;
        }

        run.Begun = true;
        run.BegunAt = now;
        bool paced = !run.IsCommand && State.Spec.Checkpoint.IsPaced();
        run.Pacer = paced ? new SavePacer(State.Pace, now) : null;
        run.Enter(run.IsCommand ? WorkerPhase.Training : WorkerPhase.Restoring, now);
        TaskStarted started = new(run.Key.Run, home.Incarnation, home.Address, run.Pid, run.Restore?.Name, run.Restore?.Step ?? 0);
        return new EntityStep(
            [started, .. run.FromNothing is { } warned ? [warned] : (TaskEvent[])[], .. LeavesNow()],
            run.IsCommand
                ? []
                :
                [
                    new BeginTraining(run.Key, run.Restore is not null, State.Spec.Checkpoint, State.BestMetric)
                    {
                        Pace = paced ? State.Pace?.Interval : null,
                    },
                ]
        );
    }

    private TaskEvent[] LeavesNow() => _nodeLeaves ? [new TaskNodeLeaving(home.Address)] : [];

    private static EntityStep OnPhase(TaskRun run, WorkerPhase phase, TimeSpan now)
    {
        run.Enter(phase, now);
        return EntityStep.Nothing;
    }

    private EntityStep OnProgress(TaskRun run, TaskProgress progress, TimeSpan now)
    {
        bool first = run.Progress is null;
        run.Progress = progress;
        run.Enter(WorkerPhase.Training, now);
        if (!first && now - _progressAt < ProgressEvery)
        {
            return EntityStep.Nothing;
        }

        _progressAt = now;
        return journalsProgress ? new EntityStep([new TaskProgressed(progress)], []) : EntityStep.Nothing;
    }

    /// <summary>Shown, and kept with what ends or interrupts the run; nothing is decided by it.</summary>
    private static EntityStep OnPrinted(TaskRun run, WorkerPrinted printed)
    {
        run.Printed = printed;
        return EntityStep.Nothing;
    }

    private static EntityStep OnDone(TaskRun run, WorkerDone done)
    {
        run.Done = done;
        run.Progress = done.Progress;
        return EntityStep.Nothing;
    }

    /// <summary>Asks for the state, then for the end. A worker that cannot save now is stopped at once.</summary>
    private List<TaskEffect> StopSaving(TaskRun run, StopCause cause, string reason, TimeSpan now)
    {
        TimeSpan grace = State?.Spec.Grace ?? TimeSpan.Zero;
        if (!run.Begun || run.IsCommand || run.Done is not null)
        {
            return StopNow(run, cause, grace);
        }

        run.Stop = cause;
        run.SaveDeadline = now + grace;
        return [new RequestStaging(run.Key, reason)];
    }

    private static List<TaskEffect> StopNow(TaskRun run, StopCause cause, TimeSpan grace)
    {
        run.Stop = cause;
        run.StopSent = true;
        run.SaveDeadline = null;
        if (run.End is not null)
        {
            return [];
        }

        if (run.WorkerRequested)
        {
            return [new StopWorker(run.Key, run.Begun ? grace : TimeSpan.Zero)];
        }

        // Only its checkpoint was being restored: its owner answers for a worker that does not stand.
        return [new StopWorker(run.Key, TimeSpan.Zero)];
    }

    private List<TaskEffect> DropRun()
    {
        List<TaskEffect> effects = _run is null ? [] : [new StopWorker(_run.Key, TimeSpan.Zero)];
        _run = null;
        _staged.Clear();
        _saving = null;
        _saveAgainAt = null;
        return effects;
    }

    private static RunKey? RunOf(TaskInput input) =>
        input switch
        {
            WorkerStarted i => i.Run,
            WorkerStartFailed i => i.Run,
            WorkerPreparing i => i.Run,
            WorkerReady i => i.Run,
            WorkerPhaseChanged i => i.Run,
            WorkerActive i => i.Run,
            WorkerProgressed i => i.Run,
            WorkerPrinted i => i.Run,
            WorkerStaged i => i.Run,
            WorkerStageFailed i => i.Run,
            WorkerWarned i => i.Run,
            WorkerDone i => i.Run,
            WorkerExited i => i.Run,
            WorkerLost i => i.Run,
            CheckpointRestored i => i.Run,
            CheckpointUnreadable i => i.Run,
            _ => null,
        };
}
