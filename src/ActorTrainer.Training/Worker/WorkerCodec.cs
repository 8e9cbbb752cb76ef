using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// The worker's own reader and writer of protocol messages: the same lines as <see cref="WorkerMessage.ToLine"/> and
/// <see cref="WorkerMessage.TryParse"/> in a fraction of the start-up time.
/// </summary>
/// <remarks>
/// The serializer has about a thousand methods compiled before its first polymorphic message, in every new process; that is a fifth of a
/// second of fail-over on a busy machine. This code needs none of them. Tests hold both forms together, message by message.
/// </remarks>
internal static class WorkerCodec
{
    /// <summary>The message as one line with its newline.</summary>
    public static ReadOnlyMemory<byte> Encode(WorkerMessage message)
    {
        ArrayBufferWriter<byte> buffer = new(256);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            WriteBody(json, message);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>Reads one line without its newline; false for what is no message that a node sends.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> line, [NotNullWhen(true)] out WorkerMessage? message)
    {
        message = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            message = Read(document.RootElement);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            // Both sides pass over what they do not understand, so that they may be of different versions.
        }

        return message is not null;
    }

    private static void WriteBody(Utf8JsonWriter json, WorkerMessage message)
    {
        switch (message)
        {
            case HelloMessage hello:
                json.WriteString("type"u8, "hello"u8);
                json.WriteNumber("protocol"u8, hello.Protocol);
                json.WriteString("run"u8, hello.Run);
                json.WriteNumber("pid"u8, hello.Pid);
                if (hello.Spare)
                {
                    json.WriteBoolean("spare"u8, true);
                }

                if (hello.Memory)
                {
                    json.WriteBoolean("memory"u8, true);
                }

                if (hello.Paced)
                {
                    json.WriteBoolean("paced"u8, true);
                }

                break;
            case ReadyMessage:
                json.WriteString("type"u8, "ready"u8);
                break;
            case PhaseMessage phase:
                json.WriteString("type"u8, "phase"u8);
                json.WriteString("phase"u8, PhaseName(phase.Phase));
                break;
            case ProgressMessage progress:
                json.WriteString("type"u8, "progress"u8);
                WriteProgress(json, progress.Step, progress.TotalSteps, progress.Epoch, progress.Metrics);
                break;
            case StagedMessage staged:
                json.WriteString("type"u8, "staged"u8);
                json.WriteString("id"u8, staged.Id);
                json.WriteString("reason"u8, staged.Reason);
                WriteProgress(json, staged.Step, null, staged.Epoch, staged.Metrics);
                WriteOptional(json, "stall", staged.Stall);
                WriteOptional(json, "drag", staged.Drag);
                if (staged is { Area: { } area, Files: { } files })
                {
                    json.WriteNumber("area"u8, area);
                    WriteFiles(json, files);
                }

                break;
            case StageFailedMessage failed:
                json.WriteString("type"u8, "stage-failed"u8);
                json.WriteString("reason"u8, failed.Reason);
                json.WriteString("detail"u8, failed.Detail);
                break;
            case DoneMessage done:
                json.WriteString("type"u8, "done"u8);
                WriteProgress(json, done.Step, done.TotalSteps, done.Epoch, done.Metrics);
                WriteResults(json, done.Results);
                break;
            case ErrorMessage error:
                json.WriteString("type"u8, "error"u8);
                json.WriteString("detail"u8, error.Detail);
                break;
            case StoppedMessage:
                json.WriteString("type"u8, "stopped"u8);
                break;
            default:
                throw new ArgumentException($"a worker does not send {message.GetType().Name}.", nameof(message));
        }
    }

    private static void WriteProgress(
        Utf8JsonWriter json,
        long step,
        long? totalSteps,
        double epoch,
        IReadOnlyDictionary<string, double> metrics
    )
    {
        json.WriteNumber("step"u8, step);
        if (totalSteps is { } total)
        {
            json.WriteNumber("totalSteps"u8, total);
        }

        WriteNumber(json, "epoch", epoch);
        json.WriteStartObject("metrics"u8);
        foreach (KeyValuePair<string, double> metric in metrics)
        {
            WriteNumber(json, metric.Key, metric.Value);
        }

        json.WriteEndObject();
    }

    private static void WriteFiles(Utf8JsonWriter json, IReadOnlyList<StagedFile> files)
    {
        json.WriteStartArray("files"u8);
        foreach (StagedFile file in files)
        {
            json.WriteStartObject();
            json.WriteString("path"u8, file.Path);
            json.WriteStartArray("extents"u8);
            foreach (long number in file.Extents)
            {
                json.WriteNumberValue(number);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteResults(Utf8JsonWriter json, IReadOnlyDictionary<string, string> results)
    {
        json.WriteStartObject("results"u8);
        foreach (KeyValuePair<string, string> result in results)
        {
            json.WriteString(result.Key, result.Value);
        }

        json.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } known)
        {
            WriteNumber(json, name, known);
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteString(
                name,
                double.IsNaN(value) ? "NaN"
                    : value > 0 ? "Infinity"
                    : "-Infinity"
            );
        }
    }

    private static WorkerMessage? Read(JsonElement json) =>
        json.GetProperty("type"u8).GetString() switch
        {
            "init" => new InitMessage(
                Text(json, "run"),
                Text(json, "trainerType"),
                OptionalText(json, "assembly"),
                json.TryGetProperty("settings"u8, out JsonElement settings) && settings.ValueKind != JsonValueKind.Null
                    ? settings.Clone()
                    : null,
                Text(json, "runDirectory"),
                Text(json, "stagingDirectory"),
                Text(json, "restoreDirectory")
            )
            {
                Environment = json.TryGetProperty("environment"u8, out JsonElement environment) ? ReadEnvironment(environment) : null,
                WorkingDirectory = OptionalText(json, "workingDirectory"),
                Memory = json.TryGetProperty("memory"u8, out JsonElement memory) ? ReadStaging(memory) : null,
            },
            "begin" => new BeginMessage(
                json.GetProperty("restore"u8).GetBoolean(),
                json.TryGetProperty("policy"u8, out JsonElement policy) ? ReadPolicy(policy) : new CheckpointSpec(),
                json.TryGetProperty("bestMetric"u8, out JsonElement best) ? ReadNumber(best) : null
            )
            {
                Memory = json.TryGetProperty("memory"u8, out JsonElement state)
                    ? new MemoryState(Text(state, "path"), ReadFiles(state.GetProperty("files"u8)))
                    : null,
                Pace = json.TryGetProperty("pace"u8, out JsonElement pace) ? ReadTime(pace) : null,
            },
            "checkpoint-now" => new CheckpointNowMessage(Text(json, "reason")),
            "pace" => new PaceMessage(ReadTime(json.GetProperty("interval"u8))),
            "released" => new ReleasedMessage(Text(json, "id")) { Area = OptionalNumber(json, "area") },
            "stop" => new StopMessage(),
            _ => null,
        };

    private static StagingMemory ReadStaging(JsonElement json) =>
        new(
            [
                .. json.GetProperty("areas"u8)
                    .EnumerateArray()
                    .Select(area => area.GetString() ?? throw new FormatException("an area is null.")),
            ],
            json.GetProperty("limit"u8).GetInt64(),
            [.. json.GetProperty("held"u8).EnumerateArray().Select(held => held.GetInt32())]
        );

    private static IReadOnlyList<StagedFile> ReadFiles(JsonElement json) =>
        [
            .. json.EnumerateArray()
                .Select(file => new StagedFile(
                    Text(file, "path"),
                    [.. file.GetProperty("extents"u8).EnumerateArray().Select(number => number.GetInt64())]
                )),
        ];

    private static int? OptionalNumber(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) ? value.GetInt32() : null;

    private static Dictionary<string, string?> ReadEnvironment(JsonElement json)
    {
        Dictionary<string, string?> variables = new(StringComparer.Ordinal);
        foreach (JsonProperty variable in json.EnumerateObject())
        {
            variables[variable.Name] = variable.Value.GetString();
        }

        return variables;
    }

    private static CheckpointSpec ReadPolicy(JsonElement json)
    {
        CheckpointSpec policy = new();
        foreach (JsonProperty property in json.EnumerateObject())
        {
            JsonElement value = property.Value;
            policy = property.Name switch
            {
                "strategy" => policy with { Strategy = ReadStrategy(value.GetString()) },
                "epochInterval" => policy with { EpochInterval = value.GetInt32() },
                "interval" => policy with { Interval = ReadTime(value) },
                "bestMetric" => policy with { BestMetric = value.GetString() },
                "bestIsLargest" => policy with { BestIsLargest = value.GetBoolean() },
                "keepLast" => policy with { KeepLast = value.GetInt32() },
                _ => policy,
            };
        }

        return policy;
    }

    private static CheckpointStrategy ReadStrategy(string? name) =>
        name switch
        {
            "epoch" => CheckpointStrategy.Epoch,
            "interval" => CheckpointStrategy.Interval,
            "event" => CheckpointStrategy.Event,
            "hybrid" => CheckpointStrategy.Hybrid,
            "adaptive" => CheckpointStrategy.Adaptive,
            _ => throw new FormatException($"'{name}' is no checkpoint strategy."),
        };

    private static TimeSpan ReadTime(JsonElement json) => TimeSpan.ParseExact(json.GetString() ?? "", "c", CultureInfo.InvariantCulture);

    private static double? ReadNumber(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => json.GetString() switch
            {
                "Infinity" => double.PositiveInfinity,
                "-Infinity" => double.NegativeInfinity,
                _ => double.NaN,
            },
            _ => json.GetDouble(),
        };

    private static string PhaseName(WorkerPhase phase) =>
        phase switch
        {
            WorkerPhase.Starting => "starting",
            WorkerPhase.Initializing => "initializing",
            WorkerPhase.Restoring => "restoring",
            WorkerPhase.Training => "training",
            WorkerPhase.Evaluating => "evaluating",
            WorkerPhase.Saving => "saving",
            _ => throw new ArgumentOutOfRangeException(nameof(phase)),
        };

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null.");

    private static string? OptionalText(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
