using System.Globalization;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// Where a run leaves its states for the node: in memory that both share, or, where that cannot be had, in folders, each of which appears
/// complete by rename. At most two stand at a time, so that a node that cannot store fills neither. Nothing is synced here: what survives
/// is what the store writes.
/// </summary>
internal sealed class StagingArea : IDisposable
{
    private const int MaxUnreleased = 2;

    /// <summary>The next state is a little larger, perhaps.</summary>
    private const int TouchedBeyond = 64;

    private readonly string _directory;
    private readonly HashSet<string> _unreleased = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private readonly bool[] _held;
    private MemoryArea[] _areas;
    private Thread? _touching;
    private long _size;
    private int _count;

    /// <param name="directory">For states in folders.</param>
    /// <param name="memory">What the node offers; null: nothing.</param>
    public StagingArea(string directory, StagingMemory? memory = null)
    {
        _directory = directory;
        _areas = [.. (memory?.Areas ?? []).Select(path => MemoryArea.TryOpen(path, memory!.Limit)).OfType<MemoryArea>()];
        if (_areas.Length < memory?.Areas.Count)
        {
            DropAreas();
        }

        _held = new bool[_areas.Length];
        Hold(memory?.Held ?? []);
    }

    /// <summary>Whether another state may be staged now.</summary>
    public bool HasRoom => _unreleased.Count < MaxUnreleased && (_areas.Length == 0 || _held.Contains(false));

    /// <summary>Whether a state waits to be stored.</summary>
    public bool IsBusy => _unreleased.Count > 0;

    /// <summary>Whether this state still waits to be stored.</summary>
    public bool IsUnreleased(string id) => _unreleased.Contains(id);

    /// <summary>The node has stored a state, or given it up; an area may be written again.</summary>
    public void Release(ReleasedMessage released)
    {
        _ = _unreleased.Remove(released.Id);
        if (released.Area is { } area && area >= 0 && area < _held.Length)
        {
            _held[area] = false;
        }
    }

    /// <summary>Only these areas are not to be written before the node releases them: the run's state may stand in one.</summary>
    public void Hold(IReadOnlyList<int> areas)
    {
        for (int i = 0; i < _held.Length; i++)
        {
            _held[i] = areas.Contains(i);
        }
    }

    /// <summary>Writes a state; gives where it is.</summary>
    /// <exception cref="IOException">It could not be written; what was written is removed again.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public async ValueTask<StagedPlace> StageAsync(ITrainer trainer, long step, CancellationToken cancellationToken)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"s{++_count}-{step}");
        StagedPlace place =
            await StageInMemoryAsync(trainer, id, cancellationToken) ?? await StageInFolderAsync(trainer, id, cancellationToken);
        _ = _unreleased.Add(id);
        return place;
    }

    /// <summary>Touches, in the background, the memory that a state of this size will need.</summary>
    public void Expect(long size)
    {
        if (_areas.Length == 0 || size <= _size)
        {
            return;
        }

        _size = size + (size / TouchedBeyond);
        if (_touching is null)
        {
            _touching = new Thread(Touch) { IsBackground = true, Name = "staging memory" };
            _touching.Start();
        }
    }

    public void Dispose()
    {
        _ended.Cancel();
        DropAreas();
    }

    private async ValueTask<StagedPlace?> StageInMemoryAsync(ITrainer trainer, string id, CancellationToken cancellationToken)
    {
        int free = Array.IndexOf(_held, false);
        if (_areas.Length == 0 || free < 0)
        {
            return null;
        }

        MemoryArea area = _areas[free];
        area.Reset();
        IReadOnlyList<StagedFile> files;
        try
        {
            MemoryTarget target = new(area);
            using CheckpointWriter writer = new(target);
            await trainer.SaveAsync(writer, cancellationToken);
            writer.Complete();
            files = target.Files;
        }
        catch (MemoryAreaFullException)
        {
            // From now on through files: the next state is no smaller.
            DropAreas();
            return null;
        }

        _held[free] = true;
        Expect(area.Used);
        return new StagedPlace(id, free, files);
    }

    private async ValueTask<StagedPlace> StageInFolderAsync(ITrainer trainer, string id, CancellationToken cancellationToken)
    {
        string target = Path.Combine(_directory, id);
        string temporary = target + ".tmp";
        try
        {
            using (CheckpointWriter writer = new(temporary))
            {
                await trainer.SaveAsync(writer, cancellationToken);
                writer.Complete();
            }

            Directory.Move(temporary, target);
            return new StagedPlace(id, null, null);
        }
        catch
        {
            TryRemove(temporary);
            throw;
        }
    }

    private void Touch()
    {
        ThreadNice.SetLowest();
        long touched = 0;
        while (!_ended.IsCancellationRequested && Volatile.Read(ref _size) is var size && size > touched)
        {
            foreach (MemoryArea area in _areas)
            {
                area.Touch(size, _ended.Token);
            }

            touched = size;
        }

        _touching = null;
    }

    private void DropAreas()
    {
        foreach (MemoryArea area in _areas)
        {
            area.Dispose();
        }

        _areas = [];
    }

    private static void TryRemove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The run directory is removed as a whole later; the first error is the one to report.
        }
    }
}

/// <summary>A staged state.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Area">Which area it stands in; null: the folder of its name.</param>
/// <param name="Files">Where its files stand in the area.</param>
internal sealed record StagedPlace(string Id, int? Area, IReadOnlyList<StagedFile>? Files);
