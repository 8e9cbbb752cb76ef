using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <content>States that workers staged, on their way to being committed. One is saved at a time, in the order staged.</content>
public sealed partial class TaskEntity
{
    /// <summary>
    /// How long a store that failed is left alone while the command runs on: each attempt writes the whole state, and beside the training.
    /// </summary>
    internal static readonly TimeSpan AgainWhileRunning = TimeSpan.FromSeconds(30);

    private readonly List<StagedWork> _staged = [];
    private readonly SortedSet<string> _condemnedLater = new(StringComparer.Ordinal);
    private (StagedWork Work, string Name)? _saving;
    private IReadOnlyList<CheckpointRef> _chunkSources = [];
    private string? _fullBecause;
    private (DateTimeOffset Time, TimeSpan Now)? _clock;
    private TimeSpan? _saveAgainAt;
    private string? _lastStoreFailure;
    private string? _protected;

    /// <summary>Whether nothing staged is waiting to be stored.</summary>
    private bool IsFlushed => _saving is null && _staged.Count == 0;

    private EntityStep OnStaged(TaskRun run, WorkerStaged staged, TimeSpan now, DeterministicRandom random)
    {
        run.Enter(run.IsCommand ? run.Phase : WorkerPhase.Training, now);
        List<TaskEffect> effects = run.IsCommand ? ReleaseKept() : [];
        _staged.Add(new StagedWork(staged.Run, staged.State, now));
        effects.AddRange(NextSave(now, random));
        if (run.Stop != StopCause.None && !run.StopSent)
        {
            // The state that the stop waited for. Steps done after it would be done again elsewhere: stop now, store meanwhile.
            effects.AddRange(StopNow(run, run.Stop, State!.Spec.Grace));
        }

        return new EntityStep([], effects);
    }

    private EntityStep OnStageFailed(TaskRun run, WorkerStageFailed failed)
    {
        IReadOnlyList<TaskEvent> events = [new TaskCheckpointFailed(failed.Reason, failed.Detail)];
        return run.Stop != StopCause.None && !run.StopSent
            ? new EntityStep(events, StopNow(run, run.Stop, State!.Spec.Grace))
            : new EntityStep(run.IsCommand ? [] : events, []);
    }

    /// <summary>
    /// Keeps a checkpoint although newer ones come: another node restores it in order to take over. Null: nothing is kept any more.
    /// </summary>
    public void Protect(string? checkpoint) => _protected = checkpoint;

    /// <summary>Saves the first of what is staged, unless a save is under way.</summary>
    /// <param name="now">Now.</param>
    /// <param name="random">For its name.</param>
    /// <param name="listed">The checkpoints, where the state does not have all of them yet.</param>
    /// <param name="added">The newest of them, which the state does not have yet.</param>
    private List<TaskEffect> NextSave(
        TimeSpan now,
        DeterministicRandom random,
        IReadOnlyList<RetentionItem>? listed = null,
        CheckpointRef? added = null
    )
    {
        if (_saving is not null || _staged.Count == 0 || State is null || Term == 0)
        {
            return [];
        }

        StagedWork work = _staged[0];
        _staged.RemoveAt(0);
        string name = CheckpointNames.Create(Term, work.State.Step, random);
        _saving = (work, name);
        _chunkSources = RetentionPolicy.ChunkSources(listed ?? Items());
        SinceFull? since = added is null ? State.SinceFull : FullSavePolicy.After(State.SinceFull, added);
        _fullBecause = _chunkSources.Count == 0 ? null : FullSavePolicy.Reason(State.Spec.Checkpoint, since, TimeAt(now));
        return [new SaveCheckpoint(work.Run, work.State, name, _chunkSources) { Full = _fullBecause is not null }];
    }

    /// <summary>The time as far as this task knows it: from the last save that ended here, else that of the newest checkpoint.</summary>
    private DateTimeOffset? TimeAt(TimeSpan now) =>
        _clock is { } clock ? clock.Time + (now - clock.Now)
        : State!.Checkpoints is [var newest, ..] ? newest.Checkpoint.SavedAt
        : null;

    private EntityStep OnStored(CheckpointStored stored, TimeSpan now, DeterministicRandom random)
    {
        if (_saving is not ({ } work, _) || work.State.Id != stored.StagedId || work.Run != stored.Run || State is null || Term == 0)
        {
            return EntityStep.Nothing;
        }

        _saving = null;
        _lastStoreFailure = null;
        _clock = stored.Checkpoint.SavedAt is { } savedAt ? (savedAt, now) : _clock;
        TimeSpan? trained = null;
        EntityStep pace = EntityStep.Nothing;
        if (_run is { } run && run.Key == stored.Run)
        {
            run.Saved = true;
            run.SavedStep = stored.Checkpoint.Step;
            trained = work.State.Stall is null ? null : run.Pacer?.Trained(now);
            pace = Pace(work.State, work.At, now);
        }

        // What a run still saves while the user has the task go back is listed, and not gone on from.
        RetentionItem added = new(stored.Checkpoint, Overtaken: State.RestoreFrom is not null);
        (List<TaskEvent> events, List<TaskEffect> effects, IReadOnlyList<RetentionItem> kept) = Enlist(
            added,
            new TaskCheckpointed(added.Checkpoint) { Trained = trained, Full = _fullBecause }
        );
        effects.Insert(0, new ReleaseStaged(stored.Run, stored.StagedId));
        events.AddRange(pace.Persist);
        effects.AddRange(pace.AfterCommit);
        effects.AddRange(NextSave(now, random, kept, added.Checkpoint));
        return Together(events, effects, FinishIfFlushed(now, random));
    }

    /// <summary>A checkpoint that is in the store is listed, and those go that it makes dispensable.</summary>
    private (List<TaskEvent> Events, List<TaskEffect> Effects, IReadOnlyList<RetentionItem> Kept) Enlist(
        RetentionItem added,
        TaskCheckpointed? said = null
    )
    {
        string?[] needed = [_run?.Restore?.Name, _protected, State!.RestoreFrom, State.LastVerified?.Name];
        RetentionPlan plan = RetentionPolicy.Plan([added, .. Items()], State.Spec.Checkpoint, [.. needed.OfType<string>()]);
        List<TaskEvent> events = [said ?? new TaskCheckpointed(added.Checkpoint)];
        List<TaskEffect> effects = [];
        events.AddRange(plan.Remove.Select(r => new TaskCheckpointRemoved(r.Checkpoint, r.Reason)));

        // The state knows neither what this step adds nor what it removes before the step is committed.
        HashSet<string> removed = [.. plan.Remove.Select(r => r.Checkpoint)];
        IReadOnlyList<RetentionItem> kept = [added, .. Items().Where(i => !removed.Contains(i.Checkpoint.Name))];
        _condemnedLater.ExceptWith(kept.SelectMany(i => i.Checkpoint.Packs));
        IReadOnlyList<string> condemn = [.. plan.Condemn.Union(_condemnedLater).Order(StringComparer.Ordinal)];
        _condemnedLater.Clear();
        if (condemn.Count > 0)
        {
            events.Add(new TaskPacksCondemned(condemn));
            effects.Add(new UnlinkStoreFiles(Task, condemn));
        }

        return (events, effects, kept);
    }

    private EntityStep OnStoreFailed(CheckpointStoreFailed failed, TimeSpan now, DeterministicRandom random)
    {
        if (_saving is not ({ } work, _) || work.State.Id != failed.StagedId || work.Run != failed.Run || State is null || Term == 0)
        {
            return EntityStep.Nothing;
        }

        string name = _saving.Value.Name;
        _saving = null;
        TaskCheckpointFailed lost = new(work.State.Reason, failed.Detail);

        // Every attempt has a name of its own, which says nothing new.
        string why = failed.Detail.Replace(name, "", StringComparison.Ordinal);
        bool said = _lastStoreFailure == why;
        bool unwanted = failed.IsOfTheState || State.Status == TaskStatus.Cancelled || _run is { Stop: StopCause.GoesBack };
        bool ended = _run is { End: not null } && !_releasing;
        bool isLastOfCommand = _run is { IsCommand: true, End: null } && _staged.Count == 0;
        if (!unwanted && (ended || isLastOfCommand || work.State.Reason == CheckpointReasons.Final))
        {
            // Nothing may stage this state again: keep it and ask the store until it takes it, or a newer one comes.
            _staged.Insert(0, work);
            _saveAgainAt = now + (isLastOfCommand ? AgainWhileRunning : AgainAfter);
            _lastStoreFailure = why;
            return new EntityStep([.. said ? [] : (TaskEvent[])[lost], .. ended ? WaitsForStore(failed.Detail) : []], []);
        }

        _lastStoreFailure = null;
        List<TaskEffect> effects = [new ReleaseStaged(failed.Run, failed.StagedId), .. NextSave(now, random)];
        return Together(said ? [] : [lost], effects, FinishIfFlushed(now, random));
    }

    /// <summary>A state of a command that the store has refused gives way to a newer one, which has the store at once.</summary>
    private List<TaskEffect> ReleaseKept()
    {
        if (_saveAgainAt is null || _saving is not null)
        {
            return [];
        }

        _saveAgainAt = null;
        _lastStoreFailure = null;
        List<TaskEffect> released = [.. _staged.Select(kept => new ReleaseStaged(kept.Run, kept.State.Id))];
        _staged.Clear();
        return released;
    }

    /// <summary>Until its last state is stored nothing follows from the end of a command: its user is told once why.</summary>
    private IReadOnlyList<TaskEvent> WaitsForStore(string detail)
    {
        if (_run is not { IsCommand: true, SaidWaitsForStore: false } run)
        {
            return [];
        }

        run.SaidWaitsForStore = true;
        return
        [
            new TaskWarned(
                $"{TaskWarned.NoCheckpoint}: the command has ended, and its last state waits for the store, which is asked every second: "
                    + detail
            ),
        ];
    }

    private EntityStep OnStoreFiles(StoreFilesListed listed)
    {
        if (State is null || listed.Term != Term)
        {
            return EntityStep.Nothing;
        }

        IReadOnlyList<string> garbage = Garbage(listed.Files);
        return garbage.Count == 0
            ? EntityStep.Nothing
            : new EntityStep([new TaskPacksCondemned(garbage)], [new UnlinkStoreFiles(Task, garbage)]);
    }

    /// <summary>Of files in the store those that no event names, and that no save under way may reference.</summary>
    private IReadOnlyList<string> Garbage(IReadOnlyList<string> files)
    {
        HashSet<string> inUse = InUse();
        return
        [
            .. RetentionPolicy
                .PlanGarbage(files, [.. State!.Checkpoints.Select(c => c.Checkpoint)], Term)
                .Where(file => !inUse.Contains(file)),
        ];
    }

    /// <summary>The packs that the save under way may take chunks from.</summary>
    private HashSet<string> InUse() => _saving is null ? [] : [.. _chunkSources.SelectMany(source => source.Packs)];

    private List<RetentionItem> Items() =>
        [.. State!.Checkpoints.Select(c => new RetentionItem(c.Checkpoint, c.Damaged, c.Dead, c.Pinned || c.Tags.Count > 0))];

    private static EntityStep Together(IReadOnlyList<TaskEvent> events, IReadOnlyList<TaskEffect> effects, EntityStep next) =>
        next with
        {
            Persist = [.. events, .. next.Persist],
            AfterCommit = [.. effects, .. next.AfterCommit],
        };
}

/// <summary>A state on its way into the store.</summary>
/// <param name="Run">Whose it is.</param>
/// <param name="State">What was staged.</param>
/// <param name="At">When.</param>
internal sealed record StagedWork(RunKey Run, StagedState State, TimeSpan At);
