namespace ActorTrainer.Bench.Failover;

/// <summary>
/// Where the time between the last step at a drained node and the first one elsewhere went, in milliseconds; the parts add up to the whole.
/// </summary>
/// <param name="Save">Until the checkpoint of that step was in the journal.</param>
/// <param name="Stop">From there until its worker had ended and the task's <c>interrupted</c> event said so.</param>
/// <param name="HandOver">From there until the task's <c>activated</c> event at its new owner.</param>
/// <param name="Grant">From there until its <c>started</c> event, or until its worker's process started when that was later.</param>
/// <param name="Restore">From there until the trainer had loaded the checkpoint.</param>
/// <param name="Step">From there until its first step was done.</param>
internal sealed record GapParts(long Save, long Stop, long HandOver, long Grant, long Restore, long Step)
{
    /// <summary>The names of the parts as a result line has them.</summary>
    public static readonly string[] Names = ["save", "stop", "hand_over", "grant", "restore", "step"];

    /// <summary>In the order of <see cref="Names"/>.</summary>
    public long[] Values => [Save, Stop, HandOver, Grant, Restore, Step];

    /// <summary>Splits a gap by its marks, all on one clock.</summary>
    public static GapParts Of(long lastStep, long saved, long stopped, long activated, long started, TrainerRun run)
    {
        long[] parts = TimeParts.Between(
            lastStep,
            saved,
            stopped,
            activated,
            Math.Max(started, run.Process),
            run.Loaded,
            run.First!.Value.Time
        );
        return new GapParts(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
    }

    public override string ToString() =>
        string.Join(", ", Names.Zip(Values, (name, value) => FormattableString.Invariant($"{name} {value}")));
}
