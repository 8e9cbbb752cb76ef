using System.Text.Json.Serialization;
using ActorTrainer.Training;

namespace ActorTrainer.Testing.Trainers;

/// <summary>
/// Counts, and misbehaves at the step that its settings name. Its result <c>sum</c> depends on every step; <c>steps</c> is how many there
/// were.
/// </summary>
public sealed class ScriptedTrainer : ITrainer
{
    private readonly long[] _state = new long[2];
    private ScriptedSettings _settings = new();
    private TrainerContext? _context;

    private long Step => _state[0];

    /// <inheritdoc />
    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        _context = context;
        _settings = context.ReadSettings(ScriptedJson.Default.ScriptedSettings);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(_settings.StepMilliseconds), TimeProvider.System, cancellationToken);
        if (Step + 1 == _settings.ThrowAt)
        {
            throw new InvalidOperationException(_settings.Message);
        }

        if (Step + 1 == _settings.HangAt)
        {
            // Deaf to cancellation, as code that waits in a driver is.
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        }

        if (Step + 1 == _settings.ExitAt)
        {
            Environment.Exit(_settings.ExitCode);
        }

        _state[0]++;
        _state[1] = unchecked((_state[1] * 31) + Step);
        bool done = Step >= _settings.Steps || (_settings.UntilFile.Length > 0 && File.Exists(_settings.UntilFile));
        if (done)
        {
            _context!.SetResult("sum", FormattableString.Invariant($"{_state[1]}"));
            _context.SetResult("steps", FormattableString.Invariant($"{Step}"));
            if (_settings.UntilFile.Length > 0)
            {
                await File.WriteAllTextAsync(_settings.UntilFile + ".seen", "", CancellationToken.None);
            }
        }

        return new StepResult(Step, _settings.Steps, Step / 100.0, EndOfEpoch: false, done, Metrics());
    }

    private Dictionary<string, double>? Metrics() =>
        _settings.Metric.Length > 0 ? new() { [_settings.Metric] = Math.Round(1.0 / Step, 4) } : null;

    /// <inheritdoc />
    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteTensor("state", _state, _state.Length);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        reader.ReadTensor("state", _state, _state.Length);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());

    /// <summary>The result of a run of so many steps that was never interrupted.</summary>
    public static string SumOf(long steps)
    {
        long sum = 0;
        for (long step = 1; step <= steps; step++)
        {
            sum = unchecked((sum * 31) + step);
        }

        return FormattableString.Invariant($"{sum}");
    }
}

/// <summary>What a <see cref="ScriptedTrainer"/> does. Steps count from 1; 0 is never.</summary>
public sealed record ScriptedSettings
{
    /// <summary>Steps until it is done.</summary>
    public long Steps { get; init; } = long.MaxValue;

    /// <summary>
    /// A file: it is done with the first step after which this exists, so that a test needs no guess of how long it should train. Beside it
    /// <c>.seen</c> is made then. Empty: none.
    /// </summary>
    public string UntilFile { get; init; } = "";

    /// <summary>How long a step takes.</summary>
    public int StepMilliseconds { get; init; } = 10;

    /// <summary>A metric that it tells with each step, smaller and smaller. Empty: none.</summary>
    public string Metric { get; init; } = "";

    /// <summary>The step that throws.</summary>
    public long ThrowAt { get; init; }

    /// <summary>What it throws with.</summary>
    public string Message { get; init; } = "the loss is not a number\nsecond line";

    /// <summary>The step that never ends.</summary>
    public long HangAt { get; init; }

    /// <summary>The step in which the process exits.</summary>
    public long ExitAt { get; init; }

    /// <summary>What it exits with.</summary>
    public int ExitCode { get; init; } = 3;
}

/// <summary>JSON of the settings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ScriptedSettings))]
public sealed partial class ScriptedJson : JsonSerializerContext;
