using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>What was saved since the last checkpoint that shares no chunk with a former one.</summary>
/// <param name="Saves">How many checkpoints, all of which share some.</param>
/// <param name="At">When that one was committed; null: not known.</param>
public sealed record SinceFull(int Saves, DateTimeOffset? At);

/// <summary>
/// Which saves share no chunk with former ones. A chunk that goes bad damages every checkpoint that has it; a full save now and then bounds
/// how many those are, for the price of writing what has not changed.
/// </summary>
public static class FullSavePolicy
{
    /// <summary>The default of <see cref="CheckpointSpec.FullEverySaves"/>.</summary>
    public const int DefaultSaves = 20;

    /// <summary>The default of <see cref="CheckpointSpec.FullEvery"/>.</summary>
    public static readonly TimeSpan DefaultTime = TimeSpan.FromDays(1);

    /// <summary>Why the next save shares nothing; null: it may share.</summary>
    /// <param name="spec">How often.</param>
    /// <param name="since">What was saved since the last one; null: nothing was saved yet, so there is nothing to share.</param>
    /// <param name="now">The time as far as it is known, UTC; null: it is not.</param>
    public static string? Reason(CheckpointSpec spec, SinceFull? since, DateTimeOffset? now)
    {
        int saves = spec.FullEverySaves ?? DefaultSaves;
        TimeSpan time = spec.FullEvery ?? DefaultTime;
        return since is null ? null
            : saves > 0 && since.Saves + 1 >= saves ? FormattableString.Invariant($"one of {saves} saves does so")
            : time > TimeSpan.Zero && now - since.At >= time
                ? FormattableString.Invariant($"the last that did so is {time.TotalHours:0.##} h old")
            : null;
    }

    /// <summary>What was saved since the last full one once another checkpoint is committed.</summary>
    /// <param name="since">Before that.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    public static SinceFull After(SinceFull? since, CheckpointRef checkpoint) =>
        IsFull(checkpoint) ? new SinceFull(0, checkpoint.SavedAt) : new SinceFull((since?.Saves ?? 0) + 1, since?.At ?? checkpoint.SavedAt);

    /// <summary>Whether all of a checkpoint stands in its own pack.</summary>
    public static bool IsFull(CheckpointRef checkpoint)
    {
        string own = CheckpointNames.PackFile(checkpoint.Name);
        return checkpoint.Packs.All(pack => pack == own);
    }
}
