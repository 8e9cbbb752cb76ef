namespace ActorTrainer.Core.Cluster;

/// <summary>What the journal's database says of a life's process.</summary>
/// <param name="LockFree">Whether the lock of the life is free; null: it cannot be told.</param>
/// <param name="ServerSame">
/// Whether the database server is the one that took the life's last beat. A server that was started again has forgotten all locks. Always
/// true where the locks are the operating system's.
/// </param>
/// <param name="BeatStill">For how long its beat was seen to stand still, by the observer's own time.</param>
public readonly record struct LifeEvidence(bool? LockFree, bool ServerSame, TimeSpan BeatStill);

/// <summary>When a life counts as dead.</summary>
public static class DeathRule
{
    /// <summary>Several beats: a slow database delays one or two.</summary>
    public static readonly TimeSpan StillAfter = TimeSpan.FromSeconds(5);

    /// <summary>A process that holds its lock is there, stopped perhaps; it is waited for longer.</summary>
    public static readonly TimeSpan StoppedAfter = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether the process is gone. Each beat is written by the session that holds the lock, so a free lock says that this session has
    /// ended after the last beat; unless the server itself was started again, then the beat has to stand still as well.
    /// </summary>
    public static bool IsProven(LifeEvidence evidence) =>
        evidence.LockFree == true && (evidence.ServerSame || evidence.BeatStill >= StillAfter);

    /// <summary>
    /// Whether nobody has to wait for this life any more before a cluster is founded: it is dead, or has not moved for long.
    /// </summary>
    public static bool IsPast(LifeEvidence evidence) =>
        IsProven(evidence) || evidence.BeatStill >= (evidence.LockFree == false ? StoppedAfter : StillAfter);
}
