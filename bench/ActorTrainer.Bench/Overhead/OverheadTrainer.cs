using System.Diagnostics;
using ActorTrainer.Bench.Common;
using ActorTrainer.Bench.Failover;
using ActorTrainer.Samples.Digits;
using ActorTrainer.Training;

namespace ActorTrainer.Bench.Overhead;

/// <summary>The training of the Digits sample, which writes down when it did each step (<see cref="StepLog"/>).</summary>
public sealed class OverheadTrainer : ITrainer, IDisposable
{
    /// <summary>Names the folder of the step files; the settings are the sample's own.</summary>
    internal const string StepsVariable = "BENCH_STEPS";

    private readonly DigitsTrainer _inner = new();
    private readonly StreamWriter _log = OpenLog();

    /// <inheritdoc />
    public async ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        using Process process = Process.GetCurrentProcess();
        Write(StepLog.Process, BenchClock.At(new DateTimeOffset(process.StartTime)));
        await _inner.InitializeAsync(context, cancellationToken);
        Write(StepLog.Initialized, BenchClock.Now);
    }

    /// <inheritdoc />
    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        StepResult step = await _inner.StepAsync(cancellationToken);
        _log.WriteLine(FormattableString.Invariant($"{StepLog.Step} {BenchClock.Now} {step.Step}"));
        return step;
    }

    /// <inheritdoc />
    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken) => _inner.SaveAsync(writer, cancellationToken);

    /// <inheritdoc />
    public async ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        await _inner.LoadAsync(reader, cancellationToken);
        Write(StepLog.Loaded, BenchClock.Now);
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        _inner.EvaluateAsync(cancellationToken);

    /// <inheritdoc />
    public void Dispose() => _log.Dispose();

    private static StreamWriter OpenLog()
    {
        string folder = Environment.GetEnvironmentVariable(StepsVariable) ?? ".";
        string file = Path.Combine(folder, FormattableString.Invariant($"{BenchClock.Now}-{Environment.ProcessId}.txt"));
        return new StreamWriter(new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
    }

    private void Write(string mark, long time) => _log.WriteLine(FormattableString.Invariant($"{mark} {time}"));
}
