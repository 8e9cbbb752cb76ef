using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

/// <summary>
/// The merge of what two nodes know. Commutative, associative and idempotent, so that any order of gossip ends in the same table.
/// Two records of one life: what was said under the larger refutation counter wins, under equal counters the larger state; a final state
/// stays whatever else was said, removed over down.
/// Two lives at one address: the older one is down. Lists are sorted by incarnation.
/// </summary>
public static class MemberMerge
{
    /// <summary>Whether a life in this state never comes back.</summary>
    public static bool IsFinal(MemberState state) => state is MemberState.Down or MemberState.Removed;

    /// <summary>Two records of one life as one.</summary>
    public static MemberRecord Join(MemberRecord a, MemberRecord b)
    {
        MemberRecord statement = a.Refutation > b.Refutation ? a : a.Refutation < b.Refutation ? b : JoinEqual(a, b);
        MemberState end = Max(EndOf(a.State), EndOf(b.State));
        return IsFinal(end) ? statement with { State = end } : statement;
    }

    /// <summary>Both tables as one.</summary>
    public static IReadOnlyList<MemberRecord> Merge(IReadOnlyList<MemberRecord> a, IReadOnlyList<MemberRecord> b)
    {
        SortedDictionary<long, MemberRecord> lives = [];
        Dictionary<NodeAddress, long> newest = [];
        Add(a);
        Add(b);

        MemberRecord[] merged = new MemberRecord[lives.Count];
        int count = 0;
        foreach (MemberRecord record in lives.Values)
        {
            bool superseded = !IsFinal(record.State) && newest[record.Address] > record.Incarnation;
            merged[count++] = superseded ? record with { State = MemberState.Down } : record;
        }

        return merged;

        void Add(IReadOnlyList<MemberRecord> records)
        {
            foreach (MemberRecord record in records)
            {
                lives[record.Incarnation] = lives.TryGetValue(record.Incarnation, out MemberRecord? known) ? Join(known, record) : record;
                newest[record.Address] = long.Max(record.Incarnation, newest.GetValueOrDefault(record.Address));
            }
        }
    }

    /// <summary>The record of a life in a sorted table, or null.</summary>
    internal static MemberRecord? Find(IReadOnlyList<MemberRecord> members, long incarnation)
    {
        int low = 0;
        int high = members.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            long found = members[middle].Incarnation;
            if (found == incarnation)
            {
                return members[middle];
            }

            if (found < incarnation)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return null;
    }

    // Under one counter the member itself says only one thing, and others at most that it is suspect. Field by field all the same: were
    // one record the winner as a whole, the result could depend on who merges first.
    private static MemberRecord JoinEqual(MemberRecord a, MemberRecord b) => new(
        a.Incarnation,
        a.Address.CompareTo(b.Address) >= 0 ? a.Address : b.Address,
        string.CompareOrdinal(a.Name, b.Name) >= 0 ? a.Name : b.Name,
        int.Max(a.Slots, b.Slots),
        Max(a.State, b.State),
        a.Refutation,
        a.Cordoned || b.Cordoned);

    private static MemberState EndOf(MemberState state) => IsFinal(state) ? state : default;

    private static MemberState Max(MemberState a, MemberState b) => a >= b ? a : b;
}
