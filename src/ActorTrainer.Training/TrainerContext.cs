using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ActorTrainer.Training;

/// <summary>What a trainer is told when it starts, and where it leaves its results.</summary>
/// <remarks>The worker makes one for each run. Tests and programs that drive a trainer by themselves make their own.</remarks>
public sealed class TrainerContext
{
    private readonly SortedDictionary<string, string> _results = new(StringComparer.Ordinal);
    private readonly Action<string> _log;

    /// <summary>Makes a context.</summary>
    /// <param name="taskName">The task's id.</param>
    /// <param name="runDirectory">A folder of this run's own that exists; absolute.</param>
    /// <param name="settings">The task's settings, a JSON object; null: none.</param>
    /// <param name="log">Takes the lines of <see cref="Log"/>; null: standard output.</param>
    public TrainerContext(string taskName, string runDirectory, JsonElement? settings = null, Action<string>? log = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(taskName);
        ArgumentException.ThrowIfNullOrEmpty(runDirectory);
        TaskName = taskName;
        RunDirectory = runDirectory;
        Settings = settings is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } given ? given : null;
        _log = log ?? (line => Console.Out.WriteLine(line));
    }

    /// <summary>The task's id.</summary>
    public string TaskName { get; }

    /// <summary>A folder of this run's own, for scratch files; absolute. It is removed some time after the run.</summary>
    public string RunDirectory { get; }

    /// <summary>The task's <c>trainer.settings</c> as they were written; null: none.</summary>
    public JsonElement? Settings { get; }

    /// <summary>What <see cref="SetResult(string, string)"/> collected, sorted by name.</summary>
    public IReadOnlyDictionary<string, string> Results => _results;

    /// <summary>Reads the settings value by value.</summary>
    /// <exception cref="TrainerSettingsException">They are no object.</exception>
    public TrainerSettings ReadSettings() => new(Settings);

    /// <summary>Reads the settings into a type. Without settings an empty object is read, so that the type's own defaults hold.</summary>
    /// <param name="type">
    /// Source-generated metadata of the type. Give its properties <c>set</c>: generated code passes every <c>init</c> property, so that one
    /// which is not in the settings would lose its default.
    /// </param>
    /// <exception cref="TrainerSettingsException">A setting is unknown, missing or of another kind; the message names it.</exception>
    public T ReadSettings<T>(JsonTypeInfo<T> type)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(type);
        try
        {
            T? value = Settings is { } settings ? settings.Deserialize(type) : JsonSerializer.Deserialize("{}"u8, type);
            return value
                ?? throw new TrainerSettingsException("trainer.settings is null; write an object such as { seed = 1 } or leave it out.");
        }
        catch (JsonException problem)
        {
            throw new TrainerSettingsException(
                $"trainer.settings of task '{TaskName}', at {problem.Path ?? "$"}: {problem.Message}",
                problem
            );
        }
    }

    /// <summary>Writes one line to the task's log.</summary>
    public void Log(string line) => _log(line);

    /// <summary>
    /// Sets a result, which is kept with the finished task and shown by <c>tasks show</c>. The last value of a name holds.
    /// </summary>
    public void SetResult(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        _results[name] = value;
    }

    /// <summary>Sets a result that is a number, written with the digits that give the same number back.</summary>
    public void SetResult(string name, double value) => SetResult(name, value.ToString("R", CultureInfo.InvariantCulture));
}

/// <summary>A trainer's settings cannot be used; the message says which one and why.</summary>
public sealed class TrainerSettingsException(string message, Exception? inner = null) : Exception(message, inner);
