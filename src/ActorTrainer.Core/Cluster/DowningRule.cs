using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Cluster;

/// <summary>
/// Decides about members that are not reached. A dead process is downed at once. A silent one is downed by a clear majority that agrees,
/// whether the journal answers or not. Without a clear majority the journal decides, by one compare-and-set; a minority asks it only when
/// the beats of all others stand still, and ends itself when they do not. Knows since when the unreachable ones are the same, and nothing
/// else.
/// </summary>
/// <param name="times">How long it waits.</param>
public sealed class DowningRule(DowningTimes times)
{
    /// <summary>So many of the reachable members carry a decision out: one would do, and it might be lost with it.</summary>
    public const int Deciders = 3;

    private HashSet<MemberKey> _unreachable = [];
    private TimeSpan _since;
    private bool _distrusted;

    /// <summary>Those that were unreachable at the last decision.</summary>
    public IReadOnlySet<MemberKey> Unreachable => _unreachable;

    /// <summary>Decides.</summary>
    /// <param name="input">What is known.</param>
    /// <param name="now">The observer's own time; must not go back.</param>
    public DowningStep Decide(DowningInput input, TimeSpan now)
    {
        MemberKey[] dead = [.. input.Members.Where(m => m.Dead && m.Key != input.Self).Select(m => m.Key)];
        if (dead.Length > 0 && !input.Distrust)
        {
            return new DowningStep.Down(dead);
        }

        List<DowningMember> reachable = [.. input.Members.Where(m => m.Reachable || m.Key == input.Self)];
        HashSet<MemberKey> unreachable = [.. input.Members.Select(m => m.Key).Except(reachable.Select(m => m.Key))];
        if (!unreachable.SetEquals(_unreachable) || (input.Distrust && !_distrusted))
        {
            _unreachable = unreachable;
            _since = now;
        }

        _distrusted = input.Distrust;

        if (unreachable.Count == 0)
        {
            return new DowningStep.Wait(null);
        }

        TimeSpan passed = now - _since;

        // After it stood still itself it gives the journal time to say that the others have gone on without it.
        TimeSpan settled = input.Distrust ? times.Settle + times.Minority : times.Settle;
        if (passed < settled)
        {
            return new DowningStep.Wait(settled - passed);
        }

        List<DowningMember> voters = [.. reachable.Where(m => m.Votes)];

        // One that is not up here may be so on the other side already, where it counts.
        int all = input.Members.Count(m => m.Votes || unreachable.Contains(m.Key));
        if (!voters.Select(m => m.Key).Order(ByAddress).Take(Deciders).Contains(input.Self))
        {
            return new DowningStep.Wait(times.Again);
        }

        return 2 * voters.Count < all ? DecideAsMinority(input, passed)
            : voters.All(m => m.Key == input.Self || m.Agrees)
                ? 2 * voters.Count > all ? new DowningStep.Down([.. unreachable])
                    : new DowningStep.Take([.. unreachable])
            : passed >= times.Disagreed ? new DowningStep.Take([.. unreachable])
            : new DowningStep.Wait(times.Again);
    }

    private DowningStep DecideAsMinority(DowningInput input, TimeSpan passed)
    {
        TimeSpan limit = times.Settle + times.Minority;
        if (passed < limit || input.RowsReadAt is not { } read || read < _since + limit)
        {
            return new DowningStep.Wait(passed < limit ? limit - passed : times.Again);
        }

        bool live = input.Members.Any(m => _unreachable.Contains(m.Key) && m.Votes && m.BeatMovedAt > _since + times.BeatDelay);
        return live
            ? new DowningStep.EndLife("this node reaches less than half of the members, and the others are alive: they go on without it")
            : new DowningStep.Take([.. _unreachable]);
    }

    private static Comparer<MemberKey> ByAddress { get; } =
        Comparer<MemberKey>.Create(
            (a, b) => string.CompareOrdinal(a.Address, b.Address) is var order and not 0 ? order : a.Uid.CompareTo(b.Uid)
        );
}
