using System.Diagnostics;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Memory;
using ActorTrainer.Training;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Storage;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Bench.Checkpoints;

/// <summary>A state that is saved and restored as a worker and its node do it: through shared memory, into a store in a folder.</summary>
internal sealed class CheckpointRig : IDisposable
{
    /// <summary>As the store cuts states, which is its default.</summary>
    public const int ChunkSize = 1 << 20;

    private const int Kept = 3;
    private static readonly RunKey Run = new(TaskId.Parse("bench-a1b2"), 1, 1);

    private readonly string _path;
    private readonly BenchState _state;
    private readonly StateMemory _memory;
    private readonly StagingArea _staging;
    private readonly FolderStore _store;
    private readonly DeterministicRandom _names = new(1);
    private readonly List<CheckpointRef> _saved = [];
    private int _round;

    public CheckpointRig(string folder, BenchState state, CheckpointCompression compression = CheckpointCompression.Auto)
    {
        (_path, _state) = (Path.Combine(folder, "store"), state);
        _memory = new StateMemory(state.Bytes * 4, TimeProvider.System);
        _staging = new StagingArea(Path.Combine(folder, "staging"), _memory.Offer(Run)!);
        _store = new FolderStore(
            new CheckpointStoreModel
            {
                Path = _path,
                ChunkSizeBytes = ChunkSize,
                Compression = compression,
            },
            TimeProvider.System
        );
    }

    /// <summary>The file of a whole state.</summary>
    public string LargestPack =>
        new DirectoryInfo(_path).EnumerateFiles("*", SearchOption.AllDirectories).MaxBy(file => file.Length)!.FullName;

    public void Dispose()
    {
        _staging.Dispose();
        _memory.Dispose();
    }

    /// <summary>One save: how long training stood, how long until it was committed, what it added to the store.</summary>
    public async Task<(double StallMs, double CommitMs, long Stored)> SaveAsync()
    {
        _round++;
        Stopwatch watch = Stopwatch.StartNew();
        StagedPlace place = await _staging.StageAsync(_state, _round, CancellationToken.None);
        double stalled = watch.Elapsed.TotalMilliseconds;
        StagedMessage message = new(place.Id, _round, 0, CheckpointReasons.Interval, new Dictionary<string, double>())
        {
            Area = place.Area ?? throw new InvalidOperationException("the state went through files"),
            Files = place.Files,
        };
        if (_memory.Stage(Run, message) is { } problem)
        {
            throw new InvalidOperationException($"the staged state {problem}");
        }

        StagedState state = new(place.Id, _round, 0, message.Reason, message.Metrics);
        string name = CheckpointNames.Create(Run.Term, _round, _names);
        SaveRequest request = new(Run.Task, Run.Term, name, state, _memory.Source(Run, place.Id)!, [.. _saved.TakeLast(1)]);
        CheckpointRef saved = await _store.SaveAsync(request, CancellationToken.None);
        double committed = watch.Elapsed.TotalMilliseconds;
        _memory.Stored(Run, place.Id, saved);
        _staging.Release(new ReleasedMessage(place.Id) { Area = _memory.Release(Run, place.Id) });
        _saved.Add(saved);
        await KeepFewAsync();
        return (stalled, committed, saved.StoredBytes);
    }

    /// <summary>
    /// The state saved last from memory, as the next run of its task reads it: compared, while its process starts, then loaded.
    /// </summary>
    public async Task<(double VerifiedMs, double LoadedMs)> RestoreFromMemoryAsync()
    {
        RunKey next = Run with { Run = 2 };
        Stopwatch verifying = Stopwatch.StartNew();
        if (!_memory.TryRestore(next, _saved[^1], CancellationToken.None))
        {
            throw new InvalidOperationException("the state that was committed last is not in memory");
        }

        double verified = verifying.Elapsed.TotalMilliseconds;
        Stopwatch watch = Stopwatch.StartNew();
        using CheckpointReader reader = new(new MemoryFiles(_memory.Restored(next)!));
        await _state.LoadAsync(reader, CancellationToken.None);
        return (verified, watch.Elapsed.TotalMilliseconds);
    }

    /// <summary>The same from the store, as a node reads it that has never seen its task.</summary>
    /// <param name="ready">Whether the node knew of it: it has memory ready then. Otherwise it reads into what nobody has touched.</param>
    public async Task<double> RestoreFromDiskAsync(bool ready)
    {
        using StateMemory memory = new(_state.Bytes * 4, TimeProvider.System);
        await memory.Expect(ready ? _state.Bytes : 0);
        Stopwatch watch = Stopwatch.StartNew();
        if (!await memory.TryFillAsync(Run, _saved[^1], _store, CancellationToken.None))
        {
            throw new InvalidOperationException("the state went through files");
        }

        using CheckpointReader reader = new(new MemoryFiles(memory.Restored(Run)!));
        await _state.LoadAsync(reader, CancellationToken.None);
        return watch.Elapsed.TotalMilliseconds;
    }

    private async Task KeepFewAsync()
    {
        while (_saved.Count > Kept)
        {
            CheckpointRef old = _saved[0];
            _saved.RemoveAt(0);
            string[] unneeded =
            [
                CheckpointNames.ManifestFile(old.Name),
                .. old.Packs.Where(pack => !_saved.Any(kept => kept.Packs.Contains(pack))),
            ];
            await _store.UnlinkAsync(Run.Task, unneeded, CancellationToken.None);
        }
    }
}
