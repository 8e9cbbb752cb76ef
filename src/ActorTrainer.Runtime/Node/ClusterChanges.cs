using ActorTrainer.Core.Membership;

namespace ActorTrainer.Runtime.Node;

/// <summary>What changed from one view of the members to another.</summary>
internal static class ClusterChanges
{
    /// <summary>
    /// The changes, those of nodes that are gone first: a node that was lost and is back comes as lost, then up. A life is told up before
    /// anything else of it, and its end once; one that ends before it was up is not told at all.
    /// </summary>
    public static IReadOnlyList<ClusterChange> Between(ClusterView before, ClusterView after)
    {
        List<ClusterChange> gone = [];
        List<ClusterChange> others = [];
        foreach (ClusterMember member in before.Members)
        {
            if (after.Find(member.Incarnation)?.State is null && End(member.State, after: null) is { } end)
            {
                gone.Add(Change(end, member));
            }
        }

        foreach (ClusterMember member in after.Members)
        {
            MemberState? was = before.Find(member.Incarnation)?.State;
            if (member.State is not { } now)
            {
                continue;
            }

            if (End(was, now) is { } end)
            {
                gone.Add(Change(end, member));
            }
            else
            {
                others.AddRange(OfPresent(was, now).Select(kind => Change(kind, member)));
            }
        }

        return [.. gone, .. others];
    }

    private static bool IsPresent(MemberState? state) => state is MemberState.Up or MemberState.Suspect or MemberState.Leaving;

    /// <summary>How a life ended that was told up and not told gone; null: it has not.</summary>
    private static ClusterChangeKind? End(MemberState? was, MemberState? after) =>
        after switch
        {
            _ when !IsPresent(was) => null,
            MemberState.Down => ClusterChangeKind.NodeLost,
            MemberState.Removed => ClusterChangeKind.NodeLeft,
            null => was == MemberState.Leaving ? ClusterChangeKind.NodeLeft : ClusterChangeKind.NodeLost,
            _ => null,
        };

    private static IEnumerable<ClusterChangeKind> OfPresent(MemberState? was, MemberState now)
    {
        if (!IsPresent(was) && IsPresent(now))
        {
            yield return ClusterChangeKind.NodeUp;
        }

        switch (now)
        {
            case MemberState.Suspect when was != MemberState.Suspect:
                yield return ClusterChangeKind.NodeSuspected;
                break;
            case MemberState.Leaving when was != MemberState.Leaving:
                yield return ClusterChangeKind.NodeLeaving;
                break;
            case MemberState.Up or MemberState.Joining when was == MemberState.Suspect:
                yield return ClusterChangeKind.NodeReachableAgain;
                break;
        }
    }

    private static ClusterChange Change(ClusterChangeKind kind, ClusterMember member) =>
        new(kind, member.Address, member.Name, member.Incarnation);
}
