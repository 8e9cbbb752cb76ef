using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Members whose connection has ended or that are unreachable, and whose life may have ended with its process. A process that ends frees
/// its lock about when it closes its connections, in any order, so each is watched for a while.
/// </summary>
/// <param name="proof">Asks for the locks.</param>
internal sealed class CrashSuspects(LifeProof proof)
{
    private static readonly TimeSpan WatchFor = TimeSpan.FromSeconds(1);

    private readonly Dictionary<MemberKey, TimeSpan> _until = [];

    public bool Any => _until.Count > 0;

    public void Add(MemberKey member, TimeSpan now) => _until[member] = now + WatchFor;

    public void Remove(MemberKey member) => _until.Remove(member);

    /// <summary>Gives up those that were watched for long enough, and says which are left.</summary>
    public IReadOnlyList<MemberKey> Left(TimeSpan now)
    {
        foreach (MemberKey late in _until.Where(s => now > s.Value).Select(s => s.Key).ToArray())
        {
            _until.Remove(late);
        }

        return [.. _until.Keys];
    }

    /// <summary>Those of the lives whose processes are gone for certain. A database that does not answer proves nothing.</summary>
    /// <param name="lives">Members with their lives' numbers and for how long their beats stand still.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task<IReadOnlyList<MemberKey>> FindDeadAsync(
        IReadOnlyList<(MemberKey Key, long Life, TimeSpan Still)> lives,
        CancellationToken cancellationToken
    )
    {
        List<MemberKey> dead = [];
        foreach ((MemberKey key, long life, TimeSpan still) in lives)
        {
            LifeEvidence evidence = await proof.AskAsync(life, cancellationToken);
            if (DeathRule.IsProven(evidence with { BeatStill = still }))
            {
                dead.Add(key);
            }
        }

        return dead;
    }
}
