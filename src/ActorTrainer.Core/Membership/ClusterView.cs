using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Membership;

/// <summary>
/// The cluster as one node sees it, immutable; a new one is published after every change of the members. The one that a client asks for has
/// the shards and the unfinished tasks besides.
/// </summary>
/// <param name="Version">Grows with every change; -1: nothing is known yet.</param>
/// <param name="Self">This node's own life; 0: it has none yet.</param>
/// <param name="Members">
/// The lives on record that are neither down nor removed, and the newest of each address whatever became of it; by incarnation.
/// </param>
public sealed record ClusterView(long Version, long Self, IReadOnlyList<ClusterMember> Members)
{
    /// <summary>Nothing is known yet.</summary>
    public static ClusterView Empty { get; } = new(-1, 0, []);

    /// <summary>All shards by number, where they were asked for.</summary>
    public IReadOnlyList<ShardOwnership> Shards { get; init; } = [];

    /// <summary>The unfinished tasks by id, where they were asked for.</summary>
    public IReadOnlyList<TaskSummary> Tasks { get; init; } = [];

    /// <summary>The life that coordinates the shards; 0: not known.</summary>
    public long Coordinator => Members.FirstOrDefault(m => m.IsCoordinator)?.Incarnation ?? 0;

    /// <summary>The lives that are not known to be gone, neither to gossip nor on record; made with each call.</summary>
    public IReadOnlySet<long> Living => Members.Where(m => m.IsLiving).Select(m => m.Incarnation).ToHashSet();

    /// <summary>A life, or null.</summary>
    public ClusterMember? Find(long incarnation)
    {
        foreach (ClusterMember member in Members)
        {
            if (member.Incarnation == incarnation)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>The same with what is on record of the unfinished tasks.</summary>
    /// <param name="tasks">The tasks by id, each with the life that owns it (0: none yet) and its term.</param>
    /// <param name="version">Grows with every change of theirs.</param>
    /// <param name="numberOfShards">How many shards there are.</param>
    public ClusterView With(IEnumerable<(TaskSummary Summary, long Owner, long Term)> tasks, long version, int numberOfShards)
    {
        ShardOwnership[] shards = [.. Enumerable.Range(0, numberOfShards).Select(shard => new ShardOwnership(shard, 0, 0))];
        List<TaskSummary> summaries = [];
        foreach ((TaskSummary summary, long owner, long term) in tasks)
        {
            summaries.Add(summary);
            ShardOwnership shard = shards[summary.Shard];
            if (owner != 0)
            {
                shards[summary.Shard] = shard with { Owner = Math.Max(shard.Owner, owner), Term = Math.Max(shard.Term, term) };
            }
        }

        return this with
        {
            Version = Version + version,
            Shards = shards,
            Tasks = summaries,
        };
    }
}

/// <summary>Who owns a shard. One in which no unfinished task has been started has owner 0 and term 0.</summary>
/// <param name="Shard">Its number.</param>
/// <param name="Owner">The life that owns it; 0: nobody.</param>
/// <param name="Term">The highest term of its tasks.</param>
public readonly record struct ShardOwnership(int Shard, long Owner, long Term);
