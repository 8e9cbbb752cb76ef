namespace ActorTrainer.Core.Tasks;

/// <content>What follows from the end of a run.</content>
public sealed partial class TaskEntity
{
    private const int SignalTerminate = 15;

    /// <summary>
    /// Whoever stops a machine may send SIGTERM to all its processes at once. A run that ends by it is judged this much later: by then the
    /// node has heard that it has to go.
    /// </summary>
    private static readonly TimeSpan TellWithin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A decision about the task failed: that is a mistake in this program, and it would fail again. What the task runs is ended, and it
    /// waits for a person, who may let it go on or cancel it; its node and all other tasks know nothing of it.
    /// </summary>
    /// <param name="detail">What failed.</param>
    public EntityStep Fault(string detail)
    {
        List<TaskEffect> effects = DropRun();
        WaitsWarm = false;
        string reason = $"a decision about this task failed, which is a mistake in ActorTrainer: {detail}";
        bool held = Term > 0 && State is { IsFinished: false, Status: not TaskStatus.Held };
        return new EntityStep(held ? [new TaskHeld(reason)] : [], effects, new CommandRefused(reason), Release: _releasing);
    }

    private EntityStep OnLost(TaskRun run, WorkerLost lost, TimeSpan now, Identity.DeterministicRandom random)
    {
        run.Lost = lost.Detail;
        return OnEnded(run, new RunEnd(null, null, lost.Detail, []), now, random);
    }

    private EntityStep OnStartFailed(TaskRun run, WorkerStartFailed failed, TimeSpan now, Identity.DeterministicRandom random)
    {
        run.NodeUnfit = failed.NodeUnfit;
        string error = failed.NodeUnfit ? failed.Detail : $"could not be started: {failed.Detail}";
        return OnEnded(run, new RunEnd(null, null, error, failed.LastLines), now, random);
    }

    private EntityStep OnEnded(TaskRun run, RunEnd end, TimeSpan now, Identity.DeterministicRandom random)
    {
        run.End = end;
        run.SaveDeadline = null;
        if (run.Stop == StopCause.None && IsByTerminate(end))
        {
            run.VerdictAt = now + TellWithin;
        }

        if (_saving is null && _saveAgainAt is not null)
        {
            // Nothing newer comes any more.
            _saveAgainAt = null;
            return new EntityStep([], NextSave(now, random));
        }

        return FinishIfFlushed(now, random);
    }

    /// <summary>What follows from the end of the run, once every state that it staged is stored or given up.</summary>
    private EntityStep FinishIfFlushed(TimeSpan now, Identity.DeterministicRandom random)
    {
        if (!IsFlushed)
        {
            return EntityStep.Nothing;
        }

        if (_run is not { End: RunEnd end } run)
        {
            return _releasing && _run is null ? new EntityStep([], [], Release: true) : EntityStep.Nothing;
        }

        if (run.VerdictAt is TimeSpan at && now < at && run.Stop == StopCause.None && !_nodeLeaves)
        {
            return EntityStep.Nothing;
        }

        _run = null;
        if (State is null || Term == 0)
        {
            return EntityStep.Nothing;
        }

        if (WaitsWarm)
        {
            // It never was the task's: the next grant starts another one.
            WaitsWarm = false;
            return new EntityStep([], [], Release: _releasing);
        }

        IReadOnlyList<TaskEvent> events = EndEvents(run, end, now, random);
        bool ends = events.Count > 0 && events[0] is not TaskCompleted && run.Stop != StopCause.GoesBack;
        return new EntityStep(ends ? [.. PrintedLast(run), .. events] : events, [], Release: _releasing);
    }

    private IReadOnlyList<TaskEvent> EndEvents(TaskRun run, RunEnd end, TimeSpan now, Identity.DeterministicRandom random)
    {
        if (State!.Status is not (TaskStatus.Running or TaskStatus.Pending or TaskStatus.Retrying))
        {
            return [];
        }

        if (run.Stop == StopCause.GoesBack)
        {
            return State.Status == TaskStatus.Running
                ? [new TaskInterrupted(InterruptionReason.GoesBack, $"to go on from {State.RestoreFrom}")]
                : [];
        }

        bool complete = run.Done is not null || (run.IsCommand && end.ExitCode == 0 && run.Stop is StopCause.None);
        if (complete)
        {
            TaskProgress? last = run.Progress ?? (run.Printed is null ? null : AtEnd(run, run.Printed));
            return [new TaskCompleted(last, run.Done?.Results ?? new Dictionary<string, string>())];
        }

        if (run.Stop == StopCause.Release)
        {
            return State.Status == TaskStatus.Running
                ? [new TaskInterrupted(InterruptionReason.Migrated, $"handed over: {_releaseReason}")]
                : [];
        }

        if (run.Stop == StopCause.User)
        {
            // Paused and resumed again before the worker was gone.
            return State.Status == TaskStatus.Running ? [new TaskInterrupted(InterruptionReason.Paused, "stopped by the user")] : [];
        }

        if (_nodeLeaves)
        {
            string told = $"node {home.Address} was told to stop; the run {FailurePolicy.Describe(end)}";
            return State.Status == TaskStatus.Running ? [new TaskInterrupted(InterruptionReason.NodeStopping, told)] : [];
        }

        if (run.Lost is string lost)
        {
            return [new TaskInterrupted(InterruptionReason.GuardLost, lost)];
        }

        return FailureEvents(run, end, now, random);
    }

    /// <summary>What the output of a command said last goes on record when its run ends: no worker tells it any more.</summary>
    private IReadOnlyList<TaskEvent> PrintedLast(TaskRun? run = null) =>
        (run ?? _run)?.Printed is { } printed && State is not null ? [new TaskProgressed(AtEnd(run ?? _run!, printed))] : [];

    /// <summary>How far a command came. The save that has just been stored is not in the state yet.</summary>
    private TaskProgress AtEnd(TaskRun run, WorkerPrinted printed) =>
        State!.Progress with
        {
            Step = Math.Max(State.Progress.Step, run.SavedStep),
            Output = printed.Output,
            Remaining = null,
        };

    private IReadOnlyList<TaskEvent> FailureEvents(TaskRun run, RunEnd end, TimeSpan now, Identity.DeterministicRandom random)
    {
        if (run.NodeUnfit)
        {
            return [NodeUnfit(end, random)];
        }

        FailureVerdict verdict =
            run.Stop == StopCause.Stalled ? Stalled(run, end)
            : !run.Begun && end.ExitCode is null && end.Signal is null ? StartFailed(end)
            : FailurePolicy.Classify(run.Done is null && !run.IsCommand && end.ExitCode == 0 ? NotDone(end) : end, State!.Spec.Retry.Rules);
        if (IsRetried(verdict) && MayHaveMetTheFormer(run, now))
        {
            TimeSpan soon = FailurePolicy.Delay(State!.Spec.Retry, 1, random);
            return
            [
                new TaskRetryScheduled(State.Failures, verdict.Failure, soon, IsElsewhere(verdict), State.Spec.Retry.MaxAttempts)
                {
                    FormerMayLive = true,
                },
            ];
        }

        int failures = State!.Failures + 1;
        if (verdict.Action == FailureAction.Stop || failures > State.Spec.Retry.MaxAttempts)
        {
            return [new TaskFailed(verdict.Failure)];
        }

        if (verdict.Action == FailureAction.Hold)
        {
            string reason = $"{verdict.Failure.Class}: {verdict.Failure.Detail}; 'actortrainer tasks resume {Task}' lets it go on";
            return [new TaskHeld(reason) { Failure = verdict.Failure }];
        }

        TimeSpan delay = FailurePolicy.Delay(State.Spec.Retry, failures, random);
        TaskRetryScheduled retry = new(failures, verdict.Failure, delay, IsElsewhere(verdict), State.Spec.Retry.MaxAttempts)
        {
            FailedStartFrom = FailedStartFrom(run, end, now),
        };

        // Progress goes on record once a second. Where the run failed has to be known exactly: a checkpoint of the next run just before
        // that step must not count as having got past it, or a task that always fails there would be retried for ever.
        return run.Progress is { } progress && progress.Step > State.Progress.Step
            ? [new TaskProgressed(progress), retry]
            : [retry, .. SetAside(retry.FailedStartFrom)];
    }

    private static bool IsElsewhere(FailureVerdict verdict) => verdict.Action == FailureAction.RetryElsewhere;

    private static bool IsRetried(FailureVerdict verdict) => verdict.Action is FailureAction.Retry or FailureAction.RetryElsewhere;

    /// <summary>
    /// Whether the run began while workers of a lost node may have lived, and ended before it had shown anything: a port or a lock was
    /// theirs, perhaps.
    /// </summary>
    private bool MayHaveMetTheFormer(TaskRun run, TimeSpan now) =>
        run.Since < _formerGoneAt && now - run.Since < SettledAfter && !run.Saved && run.Progress is null;

    private FailureVerdict Stalled(TaskRun run, RunEnd end)
    {
        double seconds = run.Limit(State!.Spec.Stall)?.TotalSeconds ?? 0;
        string detail = run is { IsCommand: true, Phase: WorkerPhase.Training }
            ? FormattableString.Invariant($"no output, no checkpoint and no processor time for {seconds:0.#} s")
            : FormattableString.Invariant($"no progress for {seconds:0.#} s while {Word(run.Phase)}");
        return new FailureVerdict(new Failure("stalled", detail, end.ExitCode, end.Signal, end.LastLines), FailureAction.Retry);
    }

    /// <summary>
    /// Costs no attempt. The pause grows only when no other node is left: otherwise it is on its way to one.
    /// </summary>
    private TaskRetryScheduled NodeUnfit(RunEnd end, Identity.DeterministicRandom random)
    {
        bool again = State!.UnfitIncarnations?.Contains(home.Incarnation) ?? false;
        TimeSpan delay = FailurePolicy.Delay(State.Spec.Retry, again ? State.UnfitRounds + 2 : 1, random);
        Failure failure = new("node-unfit", $"{home.Address}: {end.Error}", null, null, []);
        return new TaskRetryScheduled(State.Failures, failure, delay, Elsewhere: true, State.Spec.Retry.MaxAttempts) { NodeUnfit = true };
    }

    private static bool IsByTerminate(RunEnd end) => end.Signal == SignalTerminate || end.ExitCode == 128 + SignalTerminate;

    private static FailureVerdict StartFailed(RunEnd end) =>
        new(new Failure("start-failed", end.Error ?? "could not be started", null, null, end.LastLines), FailureAction.RetryElsewhere);

    private static RunEnd NotDone(RunEnd end) =>
        end with
        {
            Error = end.Error ?? "the trainer's process ended before training was complete",
        };

#pragma warning disable CA1308 // Phase words are shown in lower case.
    private static string Word(WorkerPhase phase) => phase.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
