using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Samples.Digits;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Training;

namespace ActorTrainer.Bench.Soak;

/// <summary>
/// The Digits sample with a pause after each step, so that many of them fit on a machine. It says outside the cluster which process it is
/// (<see cref="WorkerRegister"/>): a process that was started before its run was known does not show that in its environment.
/// </summary>
public sealed class SoakTrainer : ITrainer
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly DigitsTrainer _digits = new();
    private TrainerContext _context = null!;
    private TrainerContext _ofDigits = null!;

    /// <inheritdoc />
    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        SoakSettings settings = context.ReadSettings(SoakJson.Default.SoakSettings);
        _context = context;
        _ofDigits = new TrainerContext(
            context.TaskName,
            context.RunDirectory,
            JsonSerializer.SerializeToElement(
                new Dictionary<string, object>
                {
                    ["seed"] = settings.Seed,
                    ["epochs"] = settings.Epochs,
                    ["quick"] = true,
                }
            )
        );
        WorkerRegister.Write(settings.Register, context.TaskName, ProcessInfo.Read(Environment.ProcessId)!);
        return _digits.InitializeAsync(_ofDigits, cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        StepResult result = await _digits.StepAsync(cancellationToken);
        await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        return result;
    }

    /// <inheritdoc />
    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken) =>
        _digits.SaveAsync(writer, cancellationToken);

    /// <inheritdoc />
    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken) =>
        _digits.LoadAsync(reader, cancellationToken);

    /// <inheritdoc />
    public async ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, double> metrics = await _digits.EvaluateAsync(cancellationToken);
        foreach ((string name, string value) in _ofDigits.Results)
        {
            _context.SetResult(name, value);
        }

        return metrics;
    }
}

/// <summary>The trainer's settings.</summary>
/// <param name="Register">The folder of the register of workers.</param>
/// <param name="Seed">The Digits sample's.</param>
/// <param name="Epochs">The Digits sample's.</param>
public sealed record SoakSettings(string Register, int Seed, int Epochs);

/// <summary>JSON of the settings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SoakSettings))]
internal sealed partial class SoakJson : JsonSerializerContext;

/// <summary>
/// A folder with a file for each process that ever trained a task: its id and its start, which name it for ever, and the task.
/// </summary>
internal static class WorkerRegister
{
    public static void Write(string folder, string task, ProcessInfo process) =>
        File.WriteAllText(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{process.Pid}-{process.StartTicks}")), task);

    /// <summary>The task of a process, or null when it never trained one.</summary>
    public static string? TaskOf(string folder, ProcessInfo process)
    {
        string file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{process.Pid}-{process.StartTicks}"));
        return File.Exists(file) && File.ReadAllText(file) is { Length: > 0 } task ? task : null;
    }
}
