namespace ActorTrainer.Core.Membership;

/// <summary>What this node itself saw of another life. Not gossiped.</summary>
internal sealed class Peer(TimeSpan now, MembershipModelTimes times)
{
    /// <summary>A ring neighbour: pinged over a standing connection.</summary>
    public bool Watched { get; set; }

    public bool Connected { get; set; }

    /// <summary>Set while an attempt to connect is under way.</summary>
    public TimeSpan? ConnectingSince { get; set; }

    public TimeSpan NextConnectAt { get; set; }

    public TimeSpan ConnectBackoff { get; set; } = times.Interval;

    /// <summary>When a message of it last came.</summary>
    public TimeSpan LastHeardAt { get; set; } = now;

    /// <summary>
    /// When the oldest ping was sent after which nothing came. Silence is counted from here and not from the last message: a member that
    /// pauses for less than the acceptable pause is never accused, wherever between two heartbeats the pause starts.
    /// </summary>
    public TimeSpan? UnansweredSince { get; set; }

    public TimeSpan? LastAckAt { get; set; }

    public TimeSpan? AskedOthersAt { get; set; }

    public PhiAccrual Estimate { get; private set; } = new(times.Interval, times.Pause);

    /// <summary>A stream ended without a farewell and nothing was heard since.</summary>
    public bool StreamEnded { get; set; }

    /// <summary>When the fresh connection under way was started.</summary>
    public TimeSpan? ProbedSince { get; set; }

    public TimeSpan? LastProbeAt { get; set; }

    /// <summary>The last fresh connection was not answered.</summary>
    public bool ProbeUnanswered { get; set; }

    /// <summary>The journal says that the process is gone. Stays true: a life lock is never taken again.</summary>
    public bool LifeLockFree { get; set; }

    public TimeSpan? LifeLockAskedAt { get; set; }

    /// <summary>When it was last told that it is down.</summary>
    public TimeSpan? ToldAt { get; set; }

    public TimeSpan Silence(TimeSpan time) => UnansweredSince is { } since ? time - since : TimeSpan.Zero;

    /// <summary>Trusts it again: silence before this moment does not count.</summary>
    public void Forgive(TimeSpan time)
    {
        LastHeardAt = time;
        UnansweredSince = null;
        AskedOthersAt = null;
        LastAckAt = null;
        ProbedSince = null;
        ProbeUnanswered = false;
    }

    /// <summary>Takes time out of its silence in which this node itself was not there to hear. Fresh connections under way are asked again.</summary>
    public void Discount(TimeSpan lost, TimeSpan time)
    {
        LastHeardAt = Earlier(LastHeardAt + lost, time);
        UnansweredSince = UnansweredSince is { } since ? Earlier(since + lost, time) : null;
        LastAckAt = null;
        ProbedSince = null;
    }

    public void Heard(TimeSpan time)
    {
        LastHeardAt = time;
        UnansweredSince = null;
        AskedOthersAt = null;
        ProbeUnanswered = false;
    }

    public void Acknowledged(TimeSpan time)
    {
        if (LastAckAt is { } last)
        {
            Estimate.Observe(time - last);
        }

        LastAckAt = time;
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>The two durations that a peer's estimate starts from.</summary>
internal readonly record struct MembershipModelTimes(TimeSpan Interval, TimeSpan Pause);
