using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Bench.Common;
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

/// <summary>
/// What a checkpoint of a large state costs: the stall of training, the time until it is committed, until it is restored; beside what the
/// machine and other programs need for the same bytes, in turns, in one run.
/// </summary>
internal sealed class CheckpointBench : IDisposable
{
    private const int Rounds = 5;
    private const int ChunkSize = 1 << 20;
    private const int MiB = 1 << 20;

    /// <summary>The first saves touch memory.</summary>
    private const int Untimed = 2;
    private const int OneInTwenty = 20;
    private static readonly RunKey Run = new(TaskId.Parse("bench-a1b2"), 1, 1);

    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-bench-").FullName;
    private readonly BenchState _state;
    private readonly StateMemory _memory;
    private readonly StagingMemory _offered;
    private readonly StagingArea _staging;
    private readonly FolderStore _store;
    private readonly DeterministicRandom _names = new(1);
    private readonly List<CheckpointRef> _saved = [];
    private int _round;

    private CheckpointBench(long bytes)
    {
        _state = new BenchState(bytes, seed: 1);
        _memory = new StateMemory(bytes * 4, TimeProvider.System);
        _offered = _memory.Offer(Run)!;
        _staging = new StagingArea(Path.Combine(_folder, "staging"), _offered);
        _store = new FolderStore(
            new CheckpointStoreModel { Path = Path.Combine(_folder, "store"), ChunkSizeBytes = ChunkSize },
            TimeProvider.System
        );
    }

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        OptionSet options = OptionSet.Parse(args, ("--mib", "1024"));
        using CheckpointBench bench = new((long)options.Number("--mib", least: 16, most: 1 << 16) * MiB);
        await bench.MeasureAsync();
        return 0;
    }

    public void Dispose()
    {
        _staging.Dispose();
        _memory.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task MeasureAsync()
    {
        Distribution copy = new();
        Distribution hash = new();
        Distribution disk = new();
        Distribution stall = new();
        Distribution commit = new();
        Distribution part = new();
        Distribution partBytes = new();
        byte[] buffer = GC.AllocateUninitializedArray<byte>(_state.Tensors[0].Length * sizeof(float));
        for (int i = 0; i < Untimed; i++)
        {
            CopyTo(buffer);
            _ = await SaveAsync(oneIn: 1);
        }

        for (int i = 0; i < Rounds; i++)
        {
            copy.Add(Time(() => CopyTo(buffer)));
            hash.Add(Time(Hash));
            disk.Add(await WriteByDdAsync());
            (double stalled, double committed, _) = await SaveAsync(oneIn: 1);
            stall.Add(stalled);
            commit.Add(committed);
            (_, double changed, long stored) = await SaveAsync(OneInTwenty);
            part.Add(changed);
            partBytes.Add(100.0 * stored / _state.Bytes);
        }

        double slower = Math.Max(Median(disk), Median(hash));
        Print("stall", ("copy_ms", Median(copy), "0"), ("stall_ms", Median(stall), "0"), ("of_copy", Median(stall) / Median(copy), "0.00"));
        Print(
            "commit",
            ("dd_ms", Median(disk), "0"),
            ("sha256_ms", Median(hash), "0"),
            ("commit_ms", Median(commit), "0"),
            ("of_slower", slower / Median(commit), "0.00")
        );
        Print(
            "changed",
            ("percent_bytes", Median(partBytes), "0.0"),
            ("commit_ms", Median(part), "0"),
            ("of_dd", Median(part) / Median(disk), "0.00")
        );
        await RestoreAsync(Median(copy));
    }

    private async Task RestoreAsync(double copy)
    {
        CheckpointRef last = _saved[^1];
        Distribution memory = new();
        Distribution verified = new();
        Distribution disk = new();
        RunKey next = Run with { Run = 2 };
        string target = Path.Combine(_folder, "restore");
        for (int i = 0; i < Rounds; i++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            if (!_memory.TryRestore(next, last, CancellationToken.None))
            {
                throw new InvalidOperationException("the state that was committed last is not in memory");
            }

            verified.Add(watch.Elapsed.TotalMilliseconds);
            using (CheckpointReader reader = new(new MemoryFiles(_memory.Restored(next)!)))
            {
                await _state.LoadAsync(reader, CancellationToken.None);
            }

            memory.Add(watch.Elapsed.TotalMilliseconds);
            watch.Restart();
            await _store.RestoreAsync(Run.Task, last, target, CancellationToken.None);
            using (CheckpointReader reader = new(target))
            {
                await _state.LoadAsync(reader, CancellationToken.None);
            }

            disk.Add(watch.Elapsed.TotalMilliseconds);
        }

        Print(
            "restore-memory",
            ("copy_ms", copy, "0"),
            ("verify_ms", Median(verified), "0"),
            ("restore_ms", Median(memory), "0"),
            ("of_copy", copy / Median(memory), "0.00")
        );
        Print("restore-disk", ("restore_ms", Median(disk), "0"));
    }

    /// <summary>
    /// One save of a state that has changed in one of so many chunks: how long training stood, how long until it was committed.
    /// </summary>
    private async Task<(double StallMs, double CommitMs, long Stored)> SaveAsync(int oneIn)
    {
        _state.Change(++_round, ChunkSize, oneIn);
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

    private async Task KeepFewAsync()
    {
        while (_saved.Count > 3)
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

    private void CopyTo(byte[] buffer)
    {
        foreach (float[] tensor in _state.Tensors)
        {
            MemoryMarshal.AsBytes(tensor.AsSpan()).CopyTo(buffer);
        }
    }

    private void Hash()
    {
        foreach (float[] tensor in _state.Tensors)
        {
            int chunks = tensor.Length * sizeof(float) / ChunkSize;
            _ = Parallel.For(
                0,
                chunks,
                index => _ = SHA256.HashData(MemoryMarshal.AsBytes(tensor.AsSpan()).Slice(index * ChunkSize, ChunkSize))
            );
        }
    }

    private async Task<double> WriteByDdAsync()
    {
        string file = Path.Combine(_folder, "dd");
        string[] arguments = ["if=/dev/zero", $"of={file}", "bs=1M", $"count={_state.Bytes / MiB}", "conv=fsync", "status=none"];
        Stopwatch watch = Stopwatch.StartNew();
        using (Process dd = Process.Start("dd", arguments))
        {
            await dd.WaitForExitAsync();
        }

        double took = watch.Elapsed.TotalMilliseconds;
        File.Delete(file);
        return took;
    }

    private static double Time(Action action)
    {
        Stopwatch watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalMilliseconds;
    }

    private static double Median(Distribution values) => values.Percentile(50);

    private static void Print(string part, params (string Name, double Value, string Format)[] figures) =>
        Console.WriteLine(
            $"checkpoint part={part} "
                + string.Join(
                    ' ',
                    figures.Select(figure => $"{figure.Name}={figure.Value.ToString(figure.Format, CultureInfo.InvariantCulture)}")
                )
        );
}
