using ActorTrainer.Core.Membership;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Joins what Akka.Cluster says of the members with what is on record of them. No I/O: what it is told and the time go in, a view comes out
/// when it has changed. Members that are gone stay for a while, so that whoever asks learns how they went.
/// </summary>
internal sealed class ClusterViewTracker(long self)
{
    private static readonly TimeSpan KeepGone = TimeSpan.FromSeconds(60);

    private readonly Dictionary<MemberKey, (MemberState State, TimeSpan Since)> _gone = [];
    private ClusterView? _last;

    /// <summary>The members on record, by incarnation.</summary>
    public IReadOnlyList<MemberRow> Rows { get; set; } = [];

    /// <summary>Whether Akka knows a member that is not on record yet.</summary>
    public bool HasUnknown { get; private set; }

    public MemberRow? Find(MemberKey system) => Rows.LastOrDefault(p => p.Member.System == system);

    /// <summary>A member was removed, lost or in order.</summary>
    public void Gone(MemberKey system, MemberState state, TimeSpan now) => _gone[system] = (state, now);

    /// <summary>The view of these members, or null when it is that of the last time.</summary>
    /// <param name="seen">The members that Akka has.</param>
    /// <param name="coordinator">The one that coordinates the shards; null: there is none.</param>
    /// <param name="now">Grows.</param>
    public ClusterView? Update(IReadOnlyDictionary<MemberKey, MemberState> seen, MemberKey? coordinator, TimeSpan now)
    {
        foreach (MemberKey old in _gone.Where(g => now - g.Value.Since > KeepGone).Select(g => g.Key).ToArray())
        {
            _gone.Remove(old);
        }

        // A host's own system may have had a life of this node before: it is the last one's.
        Dictionary<MemberKey, long> lives = [];
        foreach (MemberRow row in Rows)
        {
            lives[row.Member.System] = row.Member.Incarnation;
        }

        HasUnknown = seen.Any(m =>
            m.Value is not (MemberState.Down or MemberState.Removed) && !_gone.ContainsKey(m.Key) && !lives.ContainsKey(m.Key)
        );
        ClusterMember[] members =
        [
            .. Rows.Select(p =>
                lives[p.Member.System] == p.Member.Incarnation
                    ? p.Member with
                    {
                        State = StateOf(p.Member.System, seen),
                        IsCoordinator = p.Member.System == coordinator,
                    }
                    : p.Member
            ),
        ];
        bool same =
            _last?.Members.Count == members.Length && _last.Members.Zip(members, (was, now) => was.IsSameAs(now)).All(equal => equal);
        return same ? null : _last = new ClusterView((_last?.Version ?? 0) + 1, self, members);
    }

    private MemberState? StateOf(MemberKey system, IReadOnlyDictionary<MemberKey, MemberState> seen) =>
        _gone.TryGetValue(system, out (MemberState State, TimeSpan Since) gone) ? gone.State
        : seen.TryGetValue(system, out MemberState state) ? state
        : null;
}
