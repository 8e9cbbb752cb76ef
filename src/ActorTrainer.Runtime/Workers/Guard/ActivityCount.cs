namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>Whether a run is at work: it prints, or it has used 1 % of a core or more since it was at work last.</summary>
internal sealed class ActivityCount
{
    /// <summary>Linux tells processor time in hundredths of a second.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    /// <summary>One tick may be counted for a process that was only met by the clock.</summary>
    private static readonly TimeSpan Least = 2 * Tick;

    private const double LeastShare = 0.01;
    private IReadOnlyDictionary<(int Pid, long StartTicks), long> _before = new Dictionary<(int Pid, long StartTicks), long>();
    private long _printed;
    private TimeSpan _idle;
    private TimeSpan _used;

    /// <summary>Takes a look.</summary>
    /// <param name="sinceLook">Since the look before.</param>
    /// <param name="printed">Bytes of output up to now.</param>
    /// <param name="ticks">
    /// What each process of the run has used up to now, in ticks, with its children that it has waited for; processes that began since the
    /// last look have used all of it since.
    /// </param>
    /// <returns>Whether the run was at work.</returns>
    public bool Look(TimeSpan sinceLook, long printed, IReadOnlyDictionary<(int Pid, long StartTicks), long> ticks)
    {
        _idle += sinceLook;
        _used += Tick * ticks.Sum(process => Math.Max(0, process.Value - _before.GetValueOrDefault(process.Key)));
        bool active = printed != _printed || (_used >= Least && _used >= _idle * LeastShare);
        _before = ticks;
        _printed = printed;
        if (active)
        {
            _idle = TimeSpan.Zero;
            _used = TimeSpan.Zero;
        }

        return active;
    }
}
