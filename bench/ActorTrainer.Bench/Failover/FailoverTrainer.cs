using System.Diagnostics;
using System.Text.Json.Serialization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Training;

namespace ActorTrainer.Bench.Failover;

/// <summary>
/// Trains without end on a state of some megabytes, a step about every 20 ms, and writes down outside the cluster, in a file of its
/// run's own, when
/// it did what (<see cref="StepLog"/>), all on the machine's monotonic clock in milliseconds.
/// </summary>
public sealed class FailoverTrainer : ITrainer
{
    private const int Megabyte = 1_000_000;
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(20);

    private float[] _state = [];
    private StreamWriter? _log;
    private long _step;

    /// <inheritdoc />
    public async ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        FailoverSettings settings = context.ReadSettings(FailoverJson.Default.FailoverSettings);
        _state = new float[settings.StateMegabytes * Megabyte / sizeof(float)];
        string file = Path.Combine(settings.Steps, FormattableString.Invariant($"{BenchClock.Now}-{Environment.ProcessId}.txt"));
        _log = new StreamWriter(new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
        using Process process = Process.GetCurrentProcess();
        await WriteAsync(StepLog.Process, BenchClock.At(new DateTimeOffset(process.StartTime)));
        await WriteAsync(StepLog.Initialized, BenchClock.Now);
    }

    /// <inheritdoc />
    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(StepTime, TimeProvider.System, cancellationToken);
        _step++;

        // A part of the state changes with each step, as in training with sparse gradients.
        int from = (int)(_step * 4096 % _state.Length);
        _state.AsSpan(from, Math.Min(4096, _state.Length - from)).Fill(_step);
        await _log!.WriteLineAsync(FormattableString.Invariant($"{StepLog.Step} {BenchClock.Now} {_step}"));
        return new StepResult(_step, null, 0, false, false);
    }

    /// <inheritdoc />
    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteTensor("state", _state, _state.Length);
        writer.WriteTensor("step", [_step], 1);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public async ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        reader.ReadTensor("state", _state, _state.Length);
        long[] step = new long[1];
        reader.ReadTensor("step", step.AsSpan(), 1);
        _step = step[0];
        await WriteAsync(StepLog.Loaded, BenchClock.Now);
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());

    private Task WriteAsync(string mark, long time) => _log!.WriteLineAsync(FormattableString.Invariant($"{mark} {time}"));
}

/// <summary>The trainer's settings.</summary>
/// <param name="Steps">The folder that steps are written to.</param>
/// <param name="StateMegabytes">What is saved, in MB (10⁶ bytes).</param>
public sealed record FailoverSettings(string Steps, int StateMegabytes);

/// <summary>JSON of the settings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FailoverSettings))]
internal sealed partial class FailoverJson : JsonSerializerContext;
