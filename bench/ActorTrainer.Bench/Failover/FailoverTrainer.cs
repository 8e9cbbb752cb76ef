using System.Text.Json.Serialization;
using ActorTrainer.Runtime.Training;

namespace ActorTrainer.Bench.Failover;

/// <summary>
/// Trains without end on a state of 10 MB, a step about every 20 ms, and writes each step down outside the cluster, in a file of its
/// process's own: <c>step started-at now</c>, both on the machine's monotonic clock in milliseconds.
/// </summary>
public sealed class FailoverTrainer : ITrainer
{
    private const int StateLength = 10_000_000 / sizeof(float);
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(20);

    private readonly float[] _state = new float[StateLength];
    private readonly long _startedAt = FailoverClock.Now;
    private StreamWriter? _steps;
    private long _step;

    /// <inheritdoc />
    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        FailoverSettings settings = context.ReadSettings(FailoverJson.Default.FailoverSettings);
        string file = Path.Combine(settings.Steps, FormattableString.Invariant($"{_startedAt}-{Environment.ProcessId}.txt"));
        _steps = new StreamWriter(new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(StepTime, TimeProvider.System, cancellationToken);
        _step++;

        // A part of the state changes with each step, as in training with sparse gradients.
        int from = (int)(_step * 4096 % StateLength);
        _state.AsSpan(from, Math.Min(4096, StateLength - from)).Fill(_step);
        await _steps!.WriteLineAsync(FormattableString.Invariant($"{_step} {_startedAt} {FailoverClock.Now}"));
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
    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        reader.ReadTensor("state", _state, _state.Length);
        Span<long> step = stackalloc long[1];
        reader.ReadTensor("step", step, 1);
        _step = step[0];
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());
}

/// <summary>The trainer's settings.</summary>
/// <param name="Steps">The folder that steps are written to.</param>
public sealed record FailoverSettings(string Steps);

/// <summary>JSON of the settings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FailoverSettings))]
internal sealed partial class FailoverJson : JsonSerializerContext;

/// <summary>The monotonic clock that all processes of a machine share, in milliseconds.</summary>
internal static class FailoverClock
{
    public static long Now => (long)(TimeProvider.System.GetTimestamp() * 1000.0 / TimeProvider.System.TimestampFrequency);
}
