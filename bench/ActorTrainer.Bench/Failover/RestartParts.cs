namespace ActorTrainer.Bench.Failover;

/// <summary>
/// Where the time between a fault and the first step of the new run went, in milliseconds; the parts add up to the whole. They are what can
/// be told from outside, by the API, the events' times and the trainer's file. What is seen late (the API is asked every 10 ms) counts as
/// seen no later than the next mark.
/// </summary>
/// <param name="Detect">Until another node shows the lost one as unreachable, suspect or down.</param>
/// <param name="Down">From there until it shows it as down, or not at all.</param>
/// <param name="PlaceRecover">
/// From there until the task's <c>activated</c> event: its shard has a new owner and its events were replayed there. Where a task is
/// activated only once it has slots, waiting for those is in this part, else in the next.
/// </param>
/// <param name="Grant">
/// From there until its worker's process started; when that was there before the fault, until the task's <c>started</c> event.
/// </param>
/// <param name="Worker">From there until the trainer is initialised: the runtime, the trainer's assembly.</param>
/// <param name="Restore">From there until it has loaded the checkpoint.</param>
/// <param name="Step">From there until its first step is done.</param>
internal sealed record RestartParts(long Detect, long Down, long PlaceRecover, long Grant, long Worker, long Restore, long Step)
{
    /// <summary>The names of the parts as a result line has them.</summary>
    public static readonly string[] Names = ["detect", "down", "place_recover", "grant", "worker", "restore", "step"];

    /// <summary>In the order of <see cref="Names"/>.</summary>
    public long[] Values => [Detect, Down, PlaceRecover, Grant, Worker, Restore, Step];

    /// <summary>Splits a restart by its marks, all on one clock.</summary>
    public static RestartParts Of(long fault, long unreachable, long down, long activated, long started, TrainerRun run)
    {
        long process = run.Process > fault ? run.Process : started;
        long last = run.First!.Value.Time;
        long[] parts = TimeParts.Between(fault, unreachable, down, activated, process, run.Initialized, run.Loaded, last);
        return new RestartParts(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]);
    }
}
