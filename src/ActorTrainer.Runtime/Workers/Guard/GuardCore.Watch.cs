namespace ActorTrainer.Runtime.Workers.Guard;

/// <content>The watch over commands that say nothing of themselves.</content>
internal sealed partial class GuardCore
{
    private const int LooksPerLimit = 10;
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(10);

    /// <summary>Says that the run is at work whenever it was; that it is not for too long the node finds out.</summary>
    private async Task WatchAsync(GuardRun run, TimeSpan limit)
    {
        TimeSpan every = TimeSpan.FromTicks(Math.Clamp(limit.Ticks / LooksPerLimit, ShortestLook.Ticks, LongestLook.Ticks));
        ActivityCount activity = new();
        long looked = time.GetTimestamp();
        while (true)
        {
            try
            {
                await Task.Delay(every, time, run.Gone.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            long now = time.GetTimestamp();
            Dictionary<(int Pid, long StartTicks), long> used = EntriesOf(run)
                .ToDictionary(member => (member.Pid, member.StartTicks), member => ProcessTable.ProcessorTicksOf(member.Pid));
            // Elsewhere the processes of a run are not known, nor what they use: there none is called stalled.
            if (activity.Look(time.GetElapsedTime(looked, now), run.Pump?.Bytes ?? 0, used) || !OperatingSystem.IsLinux())
            {
                send(new GuardActive(run.Name));
            }

            looked = now;
        }
    }
}
