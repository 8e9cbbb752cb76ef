using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>What the decision looks at, at the end of a step.</summary>
public readonly record struct CheckpointInputs
{
    /// <summary>The reason of a save that was asked for (see <see cref="CheckpointReasons"/>); null: none is pending.</summary>
    public string? Pending { get; init; }

    /// <summary>Whether this step ended an epoch.</summary>
    public bool EndOfEpoch { get; init; }

    /// <summary>Whole epochs done since the very beginning.</summary>
    public long WholeEpochs { get; init; }

    /// <summary>
    /// The metrics of an evaluation that belongs to this step; null when there was none. Metrics of single steps do not belong here: a
    /// loss that falls with every step would make every step the best.
    /// </summary>
    public IReadOnlyDictionary<string, double>? Evaluation { get; init; }

    /// <summary>Now, on the monotonic clock of <see cref="LastSaveAt"/>.</summary>
    public TimeSpan Now { get; init; }

    /// <summary>When the last checkpoint of this run was taken; before the first, when the run began to train.</summary>
    public TimeSpan LastSaveAt { get; init; }

    /// <summary>Whole epochs done at the last checkpoint, the restored one included; 0: there is none.</summary>
    public long LastSaveWholeEpochs { get; init; }

    /// <summary>The best value of <see cref="CheckpointSpec.BestMetric"/> so far; null: there is none.</summary>
    public double? Best { get; init; }

    /// <summary>
    /// How long it is from save to save by what they cost; null: nothing is known yet, see <see cref="SavePacePolicy.First"/>.
    /// </summary>
    public TimeSpan? Pace { get; init; }

    /// <summary>Whether a state is staged and not yet committed.</summary>
    public bool SaveUnderWay { get; init; }
}

/// <summary>Whether to save, and why.</summary>
/// <param name="Save">Whether a checkpoint is taken now.</param>
/// <param name="Reason">One of <see cref="CheckpointReasons"/>; empty when nothing is saved.</param>
/// <param name="Best">The best value of the policy's metric from now on; null: there is none.</param>
public readonly record struct CheckpointDecision(bool Save, string Reason, double? Best);

/// <summary>When a checkpoint is taken.</summary>
/// <remarks>
/// A save that was asked for (request, drain, migration, pause, preemption, failure, final, files) is taken under every strategy:
/// the strategy chooses the moments nobody asked for. <c>epoch</c> and <c>interval</c> take theirs only, <c>event</c> takes the
/// best metric, <c>adaptive</c> those of the pace that <see cref="SavePacePolicy"/> decides, and none while a save is under way;
/// <c>hybrid</c> takes all of them. When several hold, the first of pending, best, epoch, interval, adaptive is the reason.
/// </remarks>
public static class CheckpointPolicy
{
    /// <summary>Decides at the end of a step. Allocates nothing.</summary>
    public static CheckpointDecision Decide(CheckpointSpec spec, in CheckpointInputs inputs)
    {
        double? best = inputs.Best;
        bool better = false;
        if (
            inputs.Evaluation is { } metrics
            && spec.BestMetric is { } metric
            && metrics.TryGetValue(metric, out double value)
            && IsBetter(spec, value, best)
        )
        {
            best = value;
            better = true;
        }

        string reason =
            inputs.Pending is { Length: > 0 } pending ? pending
            : better && Takes(spec.Strategy, CheckpointStrategy.Event) ? CheckpointReasons.Best
            : Takes(spec.Strategy, CheckpointStrategy.Epoch) && IsEpochDue(spec, inputs) ? CheckpointReasons.Epoch
            : Takes(spec.Strategy, CheckpointStrategy.Interval) && inputs.Now - inputs.LastSaveAt >= spec.Interval
                ? CheckpointReasons.Interval
            : Takes(spec.Strategy, CheckpointStrategy.Adaptive) && IsPaceDue(spec, inputs) ? CheckpointReasons.Adaptive
            : "";
        return new CheckpointDecision(reason.Length > 0, reason, best);
    }

    /// <summary>Whether a value of the policy's metric beats the best so far. Not-a-number never does.</summary>
    public static bool IsBetter(CheckpointSpec spec, double value, double? best) =>
        !double.IsNaN(value) && (best is not { } known || double.IsNaN(known) || (spec.BestIsLargest ? value > known : value < known));

    private static bool Takes(CheckpointStrategy strategy, CheckpointStrategy part) =>
        strategy == part || strategy == CheckpointStrategy.Hybrid;

    private static bool IsPaceDue(CheckpointSpec spec, in CheckpointInputs inputs) =>
        !inputs.SaveUnderWay && inputs.Now - inputs.LastSaveAt >= (inputs.Pace ?? SavePacePolicy.FirstOf(spec.Interval));

    // Crossing a multiple, instead of standing on one: a trainer may count epochs in larger jumps, and a checkpoint taken for another
    // reason at the same epoch's end makes this one needless.
    private static bool IsEpochDue(CheckpointSpec spec, in CheckpointInputs inputs)
    {
        long every = Math.Max(1, spec.EpochInterval);
        return inputs.EndOfEpoch && inputs.WholeEpochs / every > inputs.LastSaveWholeEpochs / every;
    }
}
