using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Bench.Common;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Bench.Checkpoints;

/// <summary>
/// What a checkpoint of a large state costs: the stall of training, the time until it is committed, until it is restored; beside what the
/// machine and other programs need for the same bytes, in turns, in one run.
/// </summary>
internal sealed class CheckpointBench(string folder, long mib, int rounds)
{
    private const int MiB = 1 << 20;

    /// <summary>The first saves touch memory.</summary>
    private const int Untimed = 2;
    private const int OneInTwenty = 20;

    /// <summary>Of the network whose state is compressed: 9.7 million weights.</summary>
    private const int Width = 3072;
    private const int OneRowInFifty = 50;

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        OptionSet options = OptionSet.Parse(args, ("--mib", "1024"), ("--rounds", "5"));
        string folder = Directory.CreateTempSubdirectory("actortrainer-bench-").FullName;
        try
        {
            CheckpointBench bench = new(
                folder,
                options.Number("--mib", least: 16, most: 1 << 16),
                (int)options.Number("--rounds", least: 1, most: 100)
            );
            await bench.MeasureDenseAsync();
            await bench.MeasureTrainedAsync();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    /// <summary>A state in which nothing can be left out.</summary>
    private async Task MeasureDenseAsync()
    {
        BenchState state = BenchState.Dense(mib * MiB, seed: 1);
        using CheckpointRig rig = new(folder, state);
        using TorchState torch = await TorchState.StartAsync("keep", folder, mib);
        string raw = Path.Combine(folder, "raw");
        string repository = Path.Combine(folder, "restic");
        string restored = Path.Combine(folder, "restic-restored");
        _ = await OtherPrograms.RunAsync("restic", "init", "-q", "-r", repository);
        Measured times = new();
        byte[] buffer = GC.AllocateUninitializedArray<byte>(state.Tensors[0].Length * sizeof(float));
        int round = 0;
        async Task<double> BackUpAsync()
        {
            state.WriteTo(raw);
            return await OtherPrograms.RunAsync("restic", "backup", "-q", "-r", repository, raw);
        }

        for (int i = 0; i < Untimed; i++)
        {
            CopyTo(state, buffer);
            state.Change(++round);
            _ = await rig.SaveAsync();
        }

        _ = await BackUpAsync();
        for (int i = 0; i < rounds; i++)
        {
            times.Add("copy", Time(() => CopyTo(state, buffer)));
            times.Add("sha256", Time(() => Hash(state)));
            times.Add("dd", await WriteByDdAsync(state));
            times.Add("torch-save", await torch.DoAsync("save"));
            state.Change(++round);
            (double stalled, double committed, _) = await rig.SaveAsync();
            times.Add("stall", stalled);
            times.Add("commit", committed);
            times.Add("restic", await BackUpAsync());
            state.Change(++round, OneInTwenty);
            (_, double changed, long stored) = await rig.SaveAsync();
            times.Add("changed", changed);
            times.Add("changed-percent", 100.0 * stored / state.Bytes);
            times.Add("restic-changed", await BackUpAsync());
            (double verified, double loaded) = await rig.RestoreFromMemoryAsync();
            times.Add("verify", verified);
            times.Add("memory", loaded);
            times.Add("disk", await rig.RestoreFromDiskAsync(ready: true));
            times.Add("disk-unknown", await rig.RestoreFromDiskAsync(ready: false));
            times.Add("read", await ReadByDdAsync(rig));
            times.Add("torch-load", await torch.DoAsync("load"));
            times.Add(
                "restic-restore",
                await OtherPrograms.RunAsync("restic", "restore", "latest", "-q", "-r", repository, "-t", restored)
            );
            Directory.Delete(restored, recursive: true);
        }

        PrintDense(times);
    }

    private static void PrintDense(Measured times)
    {
        double slower = Math.Max(times["dd"], times["sha256"]);
        Print("stall", ("copy_ms", times["copy"]), ("stall_ms", times["stall"]), ("of_copy", times["stall"] / times["copy"]));
        Print(
            "commit",
            ("dd_ms", times["dd"]),
            ("sha256_ms", times["sha256"]),
            ("torch_save_ms", times["torch-save"]),
            ("restic_ms", times["restic"]),
            ("commit_ms", times["commit"]),
            ("of_slower", slower / times["commit"]),
            ("of_torch", times["torch-save"] / times["commit"]),
            ("of_restic", times["restic"] / times["commit"])
        );
        Print(
            "changed",
            ("percent_bytes", times["changed-percent"]),
            ("restic_ms", times["restic-changed"]),
            ("commit_ms", times["changed"]),
            ("of_dd", times["changed"] / times["dd"]),
            ("of_restic", times["restic-changed"] / times["changed"])
        );
        Print(
            "restore-memory",
            ("copy_ms", times["copy"]),
            ("verify_ms", times["verify"]),
            ("restore_ms", times["memory"]),
            ("of_copy", times["copy"] / times["memory"])
        );
        Print(
            "restore-disk",
            ("read_ms", times["read"]),
            ("sha256_ms", times["sha256"]),
            ("torch_load_ms", times["torch-load"]),
            ("restic_ms", times["restic-restore"]),
            ("unknown_ms", times["disk-unknown"]),
            ("restore_ms", times["disk"]),
            ("of_read", times["read"] / times["disk"]),
            ("of_torch", times["torch-load"] / times["disk"]),
            ("of_restic", times["restic-restore"] / times["disk"])
        );
    }

    /// <summary>
    /// The states of a network that is trained: how small they become, the first one and those behind it, and sparse changes.
    /// </summary>
    private async Task MeasureTrainedAsync()
    {
        string trained = Directory.CreateDirectory(Path.Combine(folder, "trained")).FullName;
        File.Copy(Path.Combine(AppContext.BaseDirectory, "data", "digits.csv"), Path.Combine(trained, "digits.csv"));
        using TorchState torch = await TorchState.StartAsync("train", trained, Width);
        _ = await torch.DoAsync("step");
        BenchState state = BenchState.Read(trained);
        string store = Directory.CreateDirectory(Path.Combine(folder, "compressed")).FullName;
        using CheckpointRig rig = new(store, state, CheckpointCompression.Max);
        using CheckpointRig asItComes = new(Directory.CreateDirectory(Path.Combine(folder, "auto")).FullName, state);
        string raw = Path.Combine(folder, "raw");
        Measured times = new();
        double? first = null;
        for (int i = 0; i < Untimed + rounds; i++)
        {
            // It has been trained further in every other save, and one row of fifty has changed in the next.
            (_, double committed, long stored) = await rig.SaveAsync();
            (_, double auto, long autoStored) = await asItComes.SaveAsync();
            first ??= 100.0 * stored / state.Bytes;
            state.ChangeRows(i, row: 768, OneRowInFifty);
            (_, double sparse, long sparseStored) = await rig.SaveAsync();
            state.WriteTo(raw);
            _ = await torch.DoAsync("step");
            state.ReadAgain(trained);
            double zstd = await OtherPrograms.RunAsync("zstd", "-3", "-T0", "-q", "-f", raw, "-o", raw + ".zst");
            if (i >= Untimed)
            {
                times.Add("commit", committed);
                times.Add("percent", 100.0 * stored / state.Bytes);
                times.Add("auto", auto);
                times.Add("auto-percent", 100.0 * autoStored / state.Bytes);
                times.Add("sparse", sparse);
                times.Add("sparse-percent", 100.0 * sparseStored / state.Bytes);
                times.Add("zstd", zstd);
                times.Add("zstd-percent", 100.0 * new FileInfo(raw + ".zst").Length / state.Bytes);
                times.Add("dd", await WriteByDdAsync(state));
            }
        }

        Print(
            "trained",
            ("mib", state.Bytes / (double)MiB),
            ("zstd_ms", times["zstd"]),
            ("dd_ms", times["dd"]),
            ("auto_ms", times["auto"]),
            ("auto_percent", times["auto-percent"]),
            ("commit_ms", times["commit"]),
            ("zstd_percent", times["zstd-percent"]),
            ("percent_bytes", times["percent"]),
            ("of_zstd", times["percent"] / times["zstd-percent"]),
            ("first_percent", first!.Value),
            ("first_of_zstd", first.Value / times["zstd-percent"])
        );
        Print(
            "sparse",
            ("commit_ms", times["sparse"]),
            ("percent_bytes", times["sparse-percent"]),
            ("of_zstd", times["sparse-percent"] / times["zstd-percent"])
        );
    }

    private static void CopyTo(BenchState state, byte[] buffer)
    {
        foreach (float[] tensor in state.Tensors)
        {
            MemoryMarshal.AsBytes(tensor.AsSpan()).CopyTo(buffer);
        }
    }

    private static void Hash(BenchState state)
    {
        foreach (float[] tensor in state.Tensors)
        {
            const int size = CheckpointRig.ChunkSize;
            int chunks = tensor.Length * sizeof(float) / size;
            _ = Parallel.For(0, chunks, index => _ = SHA256.HashData(MemoryMarshal.AsBytes(tensor.AsSpan()).Slice(index * size, size)));
        }
    }

    private async Task<double> WriteByDdAsync(BenchState state)
    {
        string file = Path.Combine(folder, "dd");
        double took = await OtherPrograms.RunAsync(
            "dd",
            "if=/dev/zero",
            $"of={file}",
            "bs=1M",
            $"count={state.Bytes / MiB}",
            "conv=fsync",
            "status=none"
        );
        File.Delete(file);
        return took;
    }

    /// <summary>As much as the disk itself gives at once, of what a restore reads.</summary>
    private static Task<double> ReadByDdAsync(CheckpointRig rig) =>
        OtherPrograms.RunAsync("dd", $"if={rig.LargestPack}", "of=/dev/null", "bs=4M", "iflag=direct", "status=none");

    private static double Time(Action action)
    {
        Stopwatch watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalMilliseconds;
    }

    private static void Print(string part, params (string Name, double Value)[] figures) =>
        Console.WriteLine(
            $"checkpoint part={part} "
                + string.Join(
                    ' ',
                    figures.Select(figure => $"{figure.Name}={figure.Value.ToString(FormatOf(figure.Name), CultureInfo.InvariantCulture)}")
                )
        );

    private static string FormatOf(string figure) => figure.EndsWith("_ms", StringComparison.Ordinal) ? "0" : "0.00";

    /// <summary>Medians by name.</summary>
    private sealed class Measured
    {
        private readonly Dictionary<string, Distribution> _values = [];

        public double this[string name] => _values[name].Percentile(50);

        public void Add(string name, double value)
        {
            if (!_values.TryGetValue(name, out Distribution? values))
            {
                values = new Distribution();
                _values.Add(name, values);
            }

            values.Add(value);
        }
    }
}
