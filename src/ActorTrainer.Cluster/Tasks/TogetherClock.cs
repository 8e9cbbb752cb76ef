namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Knows since when a node may be without others. It is looked at regularly; while it was stopped, with its machine or by a signal, the
/// others may have given it up, and it takes a moment until it sees that: so that time counts, and the moment after it does not.
/// </summary>
internal sealed class TogetherClock
{
    /// <summary>So long after the last look the process must have been stopped.</summary>
    public static readonly TimeSpan StoppedAfter = TimeSpan.FromSeconds(2);

    /// <summary>By then a process that goes on has seen who is out of its reach.</summary>
    public static readonly TimeSpan SureAfter = TimeSpan.FromSeconds(5);

    private TimeSpan? _looked;
    private TimeSpan _doubtUntil = TimeSpan.MinValue;

    /// <summary>Until when the node was with all others for certain.</summary>
    public TimeSpan Until { get; private set; }

    /// <summary>Looks.</summary>
    /// <param name="now">Monotonic time, which goes on while the process is stopped.</param>
    /// <param name="alone">Whether a member is out of reach.</param>
    public void Look(TimeSpan now, bool alone)
    {
        if (_looked is { } looked && now - looked > StoppedAfter)
        {
            _doubtUntil = now + SureAfter;
        }

        if (_looked is null || (!alone && now >= _doubtUntil))
        {
            Until = now;
        }

        _looked = now;
    }
}
