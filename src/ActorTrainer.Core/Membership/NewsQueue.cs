namespace ActorTrainer.Core.Membership;

/// <summary>
/// What is still to be spread by piggyback. Each item rides on a number of messages that grows with the logarithm of the cluster's size
/// (Das, Gupta, Motivala: "SWIM", 2002, section 4.1), those that rode least first.
/// </summary>
internal sealed class NewsQueue
{
    private const int PerMessage = 16;
    private readonly SortedDictionary<long, Item<MemberRecord>> _records = [];
    private readonly SortedDictionary<(long Target, long Observer), Item<Accusation>> _accusations = [];

    public void Add(MemberRecord record) => _records[record.Incarnation] = new Item<MemberRecord>(record);

    public void Add(Accusation accusation) =>
        _accusations[(accusation.Target, accusation.Observer)] = new Item<Accusation>(accusation);

    public void DropAccusations(long target)
    {
        foreach ((long Target, long Observer) key in _accusations.Keys.Where(key => key.Target == target).ToArray())
        {
            _accusations.Remove(key);
        }
    }

    public (IReadOnlyList<MemberRecord> Records, IReadOnlyList<Accusation> Accusations) Take(int members) =>
        (Take(_records, members), Take(_accusations, members));

    private static IReadOnlyList<T> Take<TKey, T>(SortedDictionary<TKey, Item<T>> queue, int members)
        where TKey : notnull
    {
        if (queue.Count == 0)
        {
            return [];
        }

        int limit = 3 * (int)double.Ceiling(double.Log2(members + 1));
        KeyValuePair<TKey, Item<T>>[] chosen = [.. queue.OrderBy(entry => entry.Value.Rides).Take(PerMessage)];
        T[] taken = new T[chosen.Length];
        for (int i = 0; i < chosen.Length; i++)
        {
            taken[i] = chosen[i].Value.Content;
            if (++chosen[i].Value.Rides >= limit)
            {
                queue.Remove(chosen[i].Key);
            }
        }

        return taken;
    }

    private sealed class Item<T>(T content)
    {
        public T Content { get; } = content;

        public int Rides { get; set; }
    }
}
