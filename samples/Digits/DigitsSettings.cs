using System.Text.Json.Serialization;
using ActorTrainer.Runtime.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>The task's <c>trainer.settings</c>; an unknown name is an error.</summary>
public sealed record DigitsSettings
{
    /// <summary><c>seed</c>: of the split, the weights, the order of the data, dropout and noise. Default 1.</summary>
    public ulong Seed { get; set; } = 1;

    /// <summary><c>hidden</c>: units in each of the two hidden layers. Default 512; quick: 48.</summary>
    public int? Hidden { get; set; }

    /// <summary><c>epochs</c>. Default 40; quick: 12.</summary>
    public int? Epochs { get; set; }

    /// <summary><c>batch-size</c>: images in a mini-batch. Default 32.</summary>
    public int BatchSize { get; set; } = 32;

    /// <summary><c>views</c>: how often an epoch shows each image, each time shifted and with noise anew. Default 8; quick: 1.</summary>
    public int? Views { get; set; }

    /// <summary><c>dropout</c>: the part of the hidden units that is left out in a step, from 0 to below 1. Default 0.2.</summary>
    public float Dropout { get; set; } = 0.2f;

    /// <summary><c>learning-rate</c>: the highest one, at the end of the warm-up. Default 0.001; quick: 0.005.</summary>
    public double? LearningRate { get; set; }

    /// <summary><c>data</c>: the file with the images; null: <c>data/digits.csv</c> beside the program.</summary>
    public string? Data { get; set; }

    /// <summary><c>quick</c>: other defaults, for half a second's work instead of 40 s. Default false.</summary>
    public bool Quick { get; set; }

    /// <summary>The settings with every default filled in.</summary>
    /// <exception cref="TrainerSettingsException">A value is out of its range.</exception>
    internal DigitsModel Resolve()
    {
        DigitsModel model = new(
            Seed,
            Hidden ?? (Quick ? 48 : 512),
            Epochs ?? (Quick ? 12 : 40),
            BatchSize,
            Views ?? (Quick ? 1 : 8),
            Dropout,
            LearningRate ?? (Quick ? 0.005 : 0.001),
            Data ?? Path.Combine(Path.GetDirectoryName(typeof(DigitsTrainer).Assembly.Location) ?? ".", "data", "digits.csv"));
        Require(model.Hidden >= 1, "hidden", "at least 1");
        Require(model.Epochs >= 1, "epochs", "at least 1");
        Require(model.BatchSize >= 1, "batch-size", "at least 1");
        Require(model.Views >= 1, "views", "at least 1");
        Require(model.Dropout is >= 0 and < 1, "dropout", "from 0 to below 1");
        Require(model.LearningRate > 0, "learning-rate", "above 0");
        return model;
    }

    private static void Require(bool condition, string name, string rule)
    {
        if (!condition)
        {
            throw new TrainerSettingsException($"trainer.settings.{name} has to be {rule}.");
        }
    }
}

/// <summary>The settings as they are used.</summary>
internal sealed record DigitsModel(
    ulong Seed, int Hidden, int Epochs, int BatchSize, int Views, float Dropout, double LearningRate, string DataFile);

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
