namespace ActorTrainer.Core.Placement;

/// <summary>What was moved lately, so that it does not go back. Empty on a node that has just become the coordinator's.</summary>
internal sealed class MoveMemory
{
    private readonly SortedDictionary<(int Shard, long From), TimeSpan> _left = [];
    private readonly SortedDictionary<int, (long To, TimeSpan Until)> _asked = [];

    /// <summary>When the next entry is forgotten.</summary>
    public TimeSpan NextExpiry => _left.Values.Concat(_asked.Values.Select(a => a.Until)).DefaultIfEmpty(TimeSpan.MaxValue).Min();

    /// <summary>A move was carried out.</summary>
    public void Remember(int shard, PlannedPlace plan, TimeSpan until)
    {
        if (plan.Reason is MoveReasons.Balance or MoveReasons.Room)
        {
            _left[(shard, plan.From)] = until;
        }
        else if (plan.Reason is MoveReasons.Request)
        {
            _asked[shard] = (plan.To, until);
        }
    }

    /// <summary>Whether a shard was moved away from a life for somebody's gain too lately to go back for somebody's gain.</summary>
    public bool CameFrom(int shard, long life, TimeSpan now) => _left.TryGetValue((shard, life), out TimeSpan until) && until > now;

    /// <summary>
    /// Whether somebody has lately asked for a shard to be where it is: then only need takes it away, however long it waits there.
    /// </summary>
    public bool IsWanted(int shard, long home, TimeSpan now) =>
        _asked.TryGetValue(shard, out (long To, TimeSpan Until) asked) && asked.To == home && asked.Until > now;

    public void Expire(TimeSpan now)
    {
        foreach ((int Shard, long From) left in _left.Where(l => l.Value <= now).Select(l => l.Key).ToArray())
        {
            _left.Remove(left);
        }

        foreach (int shard in _asked.Where(a => a.Value.Until <= now).Select(a => a.Key).ToArray())
        {
            _asked.Remove(shard);
        }
    }
}
