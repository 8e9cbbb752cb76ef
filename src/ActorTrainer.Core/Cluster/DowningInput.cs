using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Cluster;

/// <summary>A member as one of the others sees it; those that are down already are none.</summary>
/// <param name="Key">Which.</param>
/// <param name="Votes">Whether it is up or leaving: it counts, and is counted.</param>
/// <param name="Reachable">Whether nobody finds it unreachable. One finds itself reachable.</param>
/// <param name="Dead">Whether its process is gone for certain.</param>
public sealed record DowningMember(MemberKey Key, bool Votes, bool Reachable, bool Dead)
{
    /// <summary>Whether it has said that it hears none of the unreachable ones either. Of no meaning for these.</summary>
    public bool Agrees { get; init; }

    /// <summary>When its beat was last seen to move, in the observer's own time; null: it is not on record.</summary>
    public TimeSpan? BeatMovedAt { get; init; }
}

/// <summary>What a node knows when it decides about members that it does not reach.</summary>
/// <param name="Self">Which member it is.</param>
/// <param name="Members">All of them, itself included.</param>
/// <param name="RowsReadAt">When it began to read the rows that it knows; null: it never has.</param>
/// <param name="Distrust">
/// Whether it stood still itself and has not read the rows since: the others may have gone on without it, and what it takes for a proof may
/// be old.
/// </param>
public sealed record DowningInput(MemberKey Self, IReadOnlyList<DowningMember> Members, TimeSpan? RowsReadAt, bool Distrust);

/// <summary>What a node does about members that it does not reach.</summary>
public abstract record DowningStep
{
    private DowningStep() { }

    /// <summary>Nothing now; decides again after this time, or when something changes. Null: nobody is unreachable.</summary>
    public sealed record Wait(TimeSpan? For) : DowningStep;

    /// <summary>Downs them; the journal is told when it answers.</summary>
    public sealed record Down(IReadOnlyList<MemberKey> Victims) : DowningStep;

    /// <summary>Asks the journal for them, by one compare-and-set for all, and downs them if it gets them.</summary>
    public sealed record Take(IReadOnlyList<MemberKey> Victims) : DowningStep;

    /// <summary>Ends its own life: the others go on without it.</summary>
    public sealed record EndLife(string Reason) : DowningStep;
}

/// <summary>How long a node waits before it decides. The defaults are the product's.</summary>
public sealed record DowningTimes
{
    /// <summary>For how long the unreachable ones must have been the same: by then gossip has told everybody. Default 300 ms.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How soon it decides again when somebody has not agreed yet. Default 100 ms.</summary>
    public TimeSpan Again { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// After this the journal decides between members that do not hear each other while the rest hears both. Default 3 s.
    /// </summary>
    public TimeSpan Disagreed { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a minority waits for a beat of the others: four beats. Default 4 s.</summary>
    public TimeSpan Minority { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>
    /// A beat that is seen so much later than a life fell silent was made after that: beats come every second and are read twice in one.
    /// Default 1.5 s.
    /// </summary>
    public TimeSpan BeatDelay { get; init; } = TimeSpan.FromMilliseconds(1500);
}
