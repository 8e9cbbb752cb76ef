using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Cluster;

/// <summary>How a node stands with the journal.</summary>
public enum JournalStanding
{
    /// <summary>It reaches it.</summary>
    Reached,

    /// <summary>It does not, and nobody has said that he does: everybody trains on until it is back.</summary>
    Missed,

    /// <summary>It does not, and others do.</summary>
    MissedAlone,

    /// <summary>That has lasted too long: the tasks go to those who can commit what they do.</summary>
    GivesUp,
}

/// <summary>
/// Decides when a node that has lost the journal gives its tasks up: once others have said for as long as a limit, without a gap, that they
/// reach it. A journal that is away for all costs nobody his tasks, and when it comes back for the others a moment sooner that costs none
/// either.
/// </summary>
/// <param name="limit">How long others must have had what this node has not.</param>
/// <param name="now">The observer's own time when it last reached the journal; of all times given later none may go back.</param>
public sealed class JournalLossRule(TimeSpan limit, TimeSpan now)
{
    /// <summary>
    /// What was read or said longer ago than this says nothing any more. The journal is read, and others are asked, twice a second.
    /// </summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    private readonly Dictionary<MemberKey, TimeSpan> _reachedBy = [];
    private TimeSpan _readAt = now;
    private TimeSpan? _aloneSince;

    /// <summary>Whether this node reaches the journal.</summary>
    public bool Reaches(TimeSpan now) => now - _readAt <= Fresh;

    /// <summary>It was read.</summary>
    public void OnRead(TimeSpan at) => _readAt = at;

    /// <summary>Another member has said whether it reaches the journal.</summary>
    public void OnAnswer(MemberKey member, bool reaches, TimeSpan now)
    {
        if (reaches)
        {
            _reachedBy[member] = now;
        }
        else
        {
            _reachedBy.Remove(member);
        }
    }

    /// <summary>Looks; has to be called more often than every <see cref="Fresh"/>.</summary>
    public JournalStanding Decide(TimeSpan now)
    {
        foreach (MemberKey old in _reachedBy.Where(r => now - r.Value > Fresh).Select(r => r.Key).ToArray())
        {
            _reachedBy.Remove(old);
        }

        if (Reaches(now) || _reachedBy.Count == 0)
        {
            _aloneSince = null;
            return Reaches(now) ? JournalStanding.Reached : JournalStanding.Missed;
        }

        _aloneSince ??= now;
        return now - _aloneSince >= limit ? JournalStanding.GivesUp : JournalStanding.MissedAlone;
    }
}
