using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Cli.Doctor;

/// <summary>How serious a finding is.</summary>
[JsonConverter(typeof(LevelConverter))]
internal enum Level
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, but something will be missed.</summary>
    Warn,

    /// <summary>A node would not work here.</summary>
    Fail,
}

/// <summary>What was looked at, what was found, what to do.</summary>
internal sealed record Finding(string Check, Level Level, string Found, string Advice = "");

/// <summary>Writes a level as a word.</summary>
internal sealed class LevelConverter() : JsonStringEnumConverter<Level>(JsonNamingPolicy.KebabCaseLower);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
internal sealed partial class DoctorJson : JsonSerializerContext;
