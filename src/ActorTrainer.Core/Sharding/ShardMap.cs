using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Sharding;

/// <summary>
/// Which shard a task belongs to. The hash is frozen: FNV-1a over the id's characters (all ASCII), finished with the
/// murmur3 mixer, so that every version of every node agrees; test vectors hold it.
/// </summary>
public static class ShardMap
{
    /// <summary>The shard of a task, in [0, <paramref name="numberOfShards"/>).</summary>
    public static int ShardOf(TaskId task, int numberOfShards)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numberOfShards);
        ulong hash = 14695981039346656037UL;
        foreach (char c in task.Value)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDUL;
        hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53UL;
        hash ^= hash >> 33;
        return (int)(hash % (ulong)numberOfShards);
    }
}
