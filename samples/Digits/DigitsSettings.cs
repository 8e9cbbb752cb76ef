using System.Text.Json.Serialization;

namespace ActorTrainer.Samples.Digits;

/// <summary>The task's <c>trainer.settings</c>; an unknown name is an error.</summary>
public sealed record DigitsSettings
{
    /// <summary><c>seed</c>: of the split, the weights, the order of the data, dropout and noise. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary><c>hidden</c>: units in each of the two hidden layers. Default 512.</summary>
    public int Hidden { get; init; } = 512;

    /// <summary><c>epochs</c>. Default 40.</summary>
    public int Epochs { get; init; } = 40;

    /// <summary><c>batch-size</c>: images in a mini-batch. Default 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary><c>views</c>: how often an epoch shows each image, each time shifted and with noise anew. Default 4.</summary>
    public int Views { get; init; } = 4;

    /// <summary><c>dropout</c>: the part of the hidden units that is left out in a step, from 0 to below 1. Default 0.2.</summary>
    public float Dropout { get; init; } = 0.2f;

    /// <summary><c>learning-rate</c>: the highest one, at the end of the warm-up. Default 0.001.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary><c>data</c>: the file with the images; null: <c>data/digits.csv</c> beside the program.</summary>
    public string? Data { get; init; }

    /// <summary><c>quick</c>: a small model and one epoch of every image once, a second's work. Default false.</summary>
    public bool Quick { get; init; }

    internal DigitsSettings Resolve() => Quick ? this with { Hidden = 48, Epochs = 12, Views = 1 } : this;

    internal void Validate()
    {
        Require(Hidden >= 1, "hidden", "at least 1");
        Require(Epochs >= 1, "epochs", "at least 1");
        Require(BatchSize >= 1, "batch-size", "at least 1");
        Require(Views >= 1, "views", "at least 1");
        Require(Dropout is >= 0 and < 1, "dropout", "from 0 to below 1");
        Require(LearningRate > 0, "learning-rate", "above 0");
    }

    private static void Require(bool condition, string name, string rule)
    {
        if (!condition)
        {
            throw new Runtime.Training.TrainerSettingsException($"trainer.settings.{name} has to be {rule}.");
        }
    }
}

internal sealed record ProgressState(long Step);

internal sealed record OptimizerState(long Updates);

internal sealed record ScheduleState(long Position);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(DigitsSettings))]
[JsonSerializable(typeof(ProgressState))]
[JsonSerializable(typeof(OptimizerState))]
[JsonSerializable(typeof(ScheduleState))]
internal sealed partial class DigitsJsonContext : JsonSerializerContext;
