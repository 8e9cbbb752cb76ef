using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers.Memory;

/// <summary>
/// The memory of a task on this node: areas in which its runs stage their states, one after the other. They outlive a run: what the last
/// one has staged is stored all the same, and the next one finds memory that was touched before. Guarded by its owner's lock.
/// </summary>
internal sealed class TaskMemory : IDisposable
{
    /// <summary>One for the state that is stored, one for the one that waits, one for the last that was committed.</summary>
    public const int Areas = 3;

    private readonly SharedMemory[] _areas;
    private readonly Dictionary<(RunKey Run, string Id), StateInMemory> _staged = [];
    private StateInMemory? _committed;
    private (RunKey Run, StateInMemory State)? _restored;

    /// <summary>What was read into the last area and is as it was; null: nothing is.</summary>
    private FilledMemory? _filled;
    private bool _filling;

    private TaskMemory(SharedMemory[] areas) => _areas = areas;

    /// <summary>Bytes that its areas have.</summary>
    public long Length => _areas.Sum(area => area.Length);

    /// <summary>Whether a state in it waits to be stored, or is read from the store.</summary>
    public bool IsNeeded => _staged.Count > 0 || _filling;

    /// <summary>Areas that a worker may not write, in their order.</summary>
    public IReadOnlyList<int> Held =>
        [
            .. _staged
                .Values.Select(state => state.Area)
                .Concat(_committed is { } last ? [last.Area] : [])
                .Concat(_filling ? [Areas - 1] : [])
                .Distinct()
                .Order(),
        ];

    /// <summary>The state that was committed last, as long as it stands here; null: none.</summary>
    public MemorySource? Committed(string checkpoint, string manifestSha256) =>
        _committed is { Checkpoint: { } stored } && stored.Name == checkpoint && stored.ManifestSha256 == manifestSha256
            ? _committed.Source
            : null;

    /// <summary>A run begins with a state that was committed, if that is still the last one.</summary>
    /// <returns>Whether it is.</returns>
    public bool Restore(RunKey run, MemorySource state)
    {
        _restored = _committed is { } committed && committed.Source == state ? (run, committed) : null;
        return _restored is not null;
    }

    /// <summary>A run is to begin with a checkpoint: what it was to begin with before is not it any more.</summary>
    public void Forget(RunKey run)
    {
        if (_restored?.Run == run)
        {
            _restored = null;
        }
    }

    /// <summary>What a run begins with, if it stands here; null: it does not.</summary>
    public MemoryState? Restored(RunKey run)
    {
        if (RestoredBy(run) is not { } state)
        {
            return null;
        }

        // From here on a worker may have changed it.
        _filled = null;
        return new MemoryState(_areas[state.Area].Path, state.Files);
    }

    /// <summary>The state that a run begins with, for a worker that cannot read it here; null: there is none.</summary>
    public MemorySource? RestoredSource(RunKey run) => RestoredBy(run)?.Source;

    /// <summary>
    /// Lends an area that a checkpoint is read into; null: a state stands here that was saved here. It is the last one: workers take the
    /// first that is free, and may have been told of them before.
    /// </summary>
    /// <param name="former">An older checkpoint that was read into it, with which no run has begun; null: none.</param>
    public SharedMemory? BeginFill(out FilledMemory? former)
    {
        former = null;
        if (IsNeeded || (_committed is not null && _committed.Source != _filled?.Source))
        {
            return null;
        }

        (former, _filled, _committed) = (_filled, null, null);
        _filling = true;
        return _areas[Areas - 1];
    }

    /// <summary>It was read, and a run begins with it; null: it could not be.</summary>
    public void EndFill(RunKey run, CheckpointRef checkpoint, FilledMemory? filled)
    {
        _filling = false;
        if (filled is not null)
        {
            StagedFile[] files =
            [
                .. filled.Source.Files.Select(file => new StagedFile(
                    file.Path,
                    [.. file.Extents.SelectMany(e => new[] { e.Offset, e.Length })]
                )),
            ];
            _committed = new StateInMemory(Areas - 1, files, filled.Source) { Checkpoint = checkpoint };
            _restored = (run, _committed);
            _filled = filled;
        }
    }

    /// <summary>Makes one; null where the system has no memory to share.</summary>
    /// <param name="ready">Taken for the area that checkpoints are read into; null: there is none that was touched before.</param>
    public static TaskMemory? TryCreate(SharedMemory? ready)
    {
        List<SharedMemory> areas = ready is null ? [] : [ready];
        while (areas.Count < Areas)
        {
            if (SharedMemory.TryCreate() is not { } area)
            {
                areas.ForEach(made => made.Dispose());
                return null;
            }

            areas.Insert(0, area);
        }

        return new TaskMemory([.. areas]);
    }

    /// <summary>What a worker may use.</summary>
    /// <param name="limit">How large an area may become, in bytes.</param>
    public StagingMemory Offer(long limit) => new([.. _areas.Select(area => area.Path)], limit, Held);

    /// <summary>A worker has staged a state.</summary>
    /// <returns>Why it cannot be one, as the end of a sentence; null: it can.</returns>
    public string? Stage(RunKey run, string id, int area, IReadOnlyList<StagedFile> files, DateTimeOffset now)
    {
        if (area < 0 || area >= _areas.Length)
        {
            return $"stands in area {area} of {_areas.Length}";
        }

        if (Held.Contains(area))
        {
            return $"stands in area {area}, which was not released";
        }

        if (files.FirstOrDefault(file => !file.IsWithin(_areas[area].Length)) is { } outside)
        {
            return $"has the file '{outside.Path}' outside of its memory";
        }

        MemoryFile[] places =
        [
            .. files.Select(file => new MemoryFile(
                file.Path,
                [.. file.Extents.Chunk(2).Select(extent => new MemoryExtent(extent[0], extent[1]))]
            )),
        ];
        _staged[(run, id)] = new StateInMemory(area, files, new MemorySource(_areas[area].File, places, now));
        return null;
    }

    /// <summary>Where a staged state is; null: not here.</summary>
    public StateSource? Source(RunKey run, string id)
    {
        if (_staged.GetValueOrDefault((run, id))?.Source is not { } source)
        {
            return null;
        }

        // One that was stored may not have been released yet.
        StateInMemory? stored = _staged.Values.Where(state => state.Checkpoint is not null).MaxBy(state => state.Checkpoint!.Step);
        source.Former = (stored ?? _committed)?.Source;
        return source;
    }

    /// <summary>A staged state was stored.</summary>
    public void Stored(RunKey run, string id, CheckpointRef checkpoint)
    {
        if (_staged.GetValueOrDefault((run, id)) is { } state)
        {
            state.Checkpoint = checkpoint;
            state.Source.Former = null;
        }
    }

    /// <summary>
    /// A staged state is committed or given up. One that is committed stays until the next one is: a run that starts again finds it here.
    /// </summary>
    /// <returns>The area that may be written from now on; null: none.</returns>
    public int? Release(RunKey run, string id)
    {
        if (!_staged.Remove((run, id), out StateInMemory? state))
        {
            return null;
        }

        if (state.Checkpoint is null)
        {
            return state.Area;
        }

        int? free = _committed?.Area;
        _committed = state;
        return free;
    }

    public void Dispose()
    {
        foreach (SharedMemory area in _areas)
        {
            area.Dispose();
        }
    }

    /// <summary>Only while it is the last one that was committed: the area of another may be written again.</summary>
    private StateInMemory? RestoredBy(RunKey run) => _restored is var (by, state) && by == run && state == _committed ? state : null;

    private sealed class StateInMemory(int area, IReadOnlyList<StagedFile> files, MemorySource source)
    {
        public int Area => area;

        public IReadOnlyList<StagedFile> Files => files;

        public MemorySource Source => source;

        /// <summary>What it was stored as; null: it is not.</summary>
        public CheckpointRef? Checkpoint { get; set; }
    }
}
