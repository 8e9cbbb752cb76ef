using ActorTrainer.Core.Membership;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Joins what Akka.Cluster says of the members with what is on record of them. No I/O: what it is told and the time go in, a sight comes out
/// when it has changed. Members that are gone stay for a while, so that whoever looks learns how they went.
/// </summary>
internal sealed class SightKeeper(long self)
{
    private static readonly TimeSpan KeepGone = TimeSpan.FromSeconds(60);

    private readonly Dictionary<(string Address, long Uid), (MemberState State, TimeSpan Since)> _gone = [];
    private ClusterSight? _last;
    private long _version;

    /// <summary>The members on record, by incarnation.</summary>
    public IReadOnlyList<MemberPlace> Places { get; set; } = [];

    /// <summary>Whether Akka knows a member that is not on record yet.</summary>
    public bool HasUnknown { get; private set; }

    public MemberPlace? Find(string akkaAddress, long uid) => Places.LastOrDefault(p => p.AkkaUid == uid && p.AkkaAddress == akkaAddress);

    /// <summary>A member was removed, lost or in order.</summary>
    public void Gone(AkkaMember member, TimeSpan now) => _gone[(member.AkkaAddress, member.Uid)] = (member.State, now);

    /// <summary>The sight of these members, or null when it is that of the last time.</summary>
    public ClusterSight? Look(IReadOnlyList<AkkaMember> members, string? coordinatorAddress, long coordinatorUid, TimeSpan now)
    {
        foreach ((string Address, long Uid) old in _gone.Where(g => now - g.Value.Since > KeepGone).Select(g => g.Key).ToArray())
        {
            _gone.Remove(old);
        }

        IEnumerable<AkkaMember> all = members
            .Where(m => !_gone.ContainsKey((m.AkkaAddress, m.Uid)))
            .Concat(_gone.Select(g => new AkkaMember(g.Key.Address, g.Key.Uid, g.Value.State)));
        List<MemberRecord> records = [];
        HasUnknown = false;
        foreach (AkkaMember member in all)
        {
            if (Find(member.AkkaAddress, member.Uid) is { Row: MemberRow row })
            {
                records.Add(new MemberRecord(row.Incarnation, row.Address, row.Name, row.Slots, member.State, 0, row.Cordoned));
            }
            else
            {
                HasUnknown |= member.State is not (MemberState.Down or MemberState.Removed);
            }
        }

        records.Sort((a, b) => a.Incarnation.CompareTo(b.Incarnation));
        long[] reachable = [.. records.Where(r => r.State is MemberState.Up or MemberState.Joining or MemberState.Leaving).Select(r => r.Incarnation)];
        long coordinator = coordinatorAddress is null ? 0 : Find(coordinatorAddress, coordinatorUid)?.Row.Incarnation ?? 0;
        bool same = _last is not null && ReferenceEquals(_last.Places, Places) && _last.Coordinator == coordinator &&
            _last.View.Members.SequenceEqual(records) && _last.View.Reachable.SequenceEqual(reachable);
        if (same)
        {
            return null;
        }

        _version += _last is null || !_last.View.Members.SequenceEqual(records) ? 1 : 0;
        return _last = new ClusterSight(new MembershipView(_version, self, records, reachable), Places, coordinator);
    }
}
