namespace ActorTrainer.Core.Tasks;

/// <summary>What a command's output says of its progress, in the script's own count.</summary>
public sealed record OutputProgress
{
    /// <summary>The step it is at; null: not known.</summary>
    public long? Step { get; init; }

    /// <summary>What <see cref="Step"/> counts towards; null: not known.</summary>
    public long? TotalSteps { get; init; }

    /// <summary>
    /// Whether the steps may be those of one epoch, or of one of several passes: then they tell nothing of the whole. Default false.
    /// </summary>
    public bool OfEpoch { get; init; }

    /// <summary>The epoch as the script counts it, from 0 or from 1; null: not known.</summary>
    public double? Epoch { get; init; }

    /// <summary>Epochs in all; null: not known.</summary>
    public double? TotalEpochs { get; init; }

    /// <summary>The newest value of each metric. Default: none.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Whether that was guessed; false: it was read by the patterns of the task.</summary>
    public bool Guessed { get; init; }

    /// <summary>The share of the whole that is done, in [0, 1]; null: not known.</summary>
    public double? Share() =>
        !OfEpoch && Step is { } step && TotalSteps is > 0 and { } total ? Math.Clamp((double)step / total, 0, 1) : null;

    internal bool Says => Step is not null || Epoch is not null || Metrics.Count > 0;
}
