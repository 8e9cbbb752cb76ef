using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Cluster;

/// <summary>A life of the present epoch, other than the one that asks; neither down nor removed.</summary>
/// <param name="Incarnation">Its number.</param>
/// <param name="Status">Joining: it has asked to be let in, and may be.</param>
/// <param name="IsPast">See <see cref="DeathRule.IsPast"/>.</param>
public readonly record struct EpochLife(long Incarnation, MemberStatus Status, bool IsPast);

/// <summary>What a life that is in no cluster yet has read in the journal.</summary>
/// <param name="Self">Its number.</param>
/// <param name="SelfEpoch">The epoch that it has entered; 0: none.</param>
/// <param name="SelfIsGone">Whether it is down or removed on record.</param>
/// <param name="Epoch">The cluster's present epoch; 0: there never was a cluster.</param>
/// <param name="Founder">The life that founded it.</param>
/// <param name="Lives">The other lives of this epoch, by number.</param>
/// <param name="Waited">For how long this life has seen nobody but ones that ask to be let in themselves; any other view begins
/// anew.</param>
public sealed record FoundingView(
    long Self,
    long SelfEpoch,
    bool SelfIsGone,
    long Epoch,
    long Founder,
    IReadOnlyList<EpochLife> Lives,
    TimeSpan Waited = default
);

/// <summary>What a life that is in no cluster yet does next.</summary>
public abstract record FoundingStep
{
    private FoundingStep() { }

    /// <summary>Enters the epoch in its row, so that nobody founds another cluster behind its back, and reads again.</summary>
    public sealed record Enter(long Epoch) : FoundingStep;

    /// <summary>Asks these to let it in, the likeliest first.</summary>
    public sealed record Join(IReadOnlyList<long> Lives) : FoundingStep;

    /// <summary>Tries to found the cluster of the next epoch, by compare-and-set; these lives of the present one are past.</summary>
    public sealed record Found(IReadOnlyList<long> Past) : FoundingStep;

    /// <summary>It has won the epoch: it joins itself.</summary>
    public sealed record JoinSelf : FoundingStep;

    /// <summary>It ends: the cluster has gone on without it.</summary>
    public sealed record End(string Reason) : FoundingStep;
}

/// <summary>
/// Who founds the cluster. Akka alone decides by seed nodes, of which one must be there and two can found twice; here it is the journal.
/// Only the life that advances the epoch by compare-and-set joins itself, and it may only when nobody of the epoch before can still be in a
/// cluster.
/// </summary>
public static class FoundingRule
{
    /// <summary>So many are asked at once: enough for some to answer, and in a large cluster not everybody has to.</summary>
    public const int MaxContacts = 8;

    /// <summary>
    /// One that asks to be let in may be in already, and could not write it down yet. It is asked, and waited for as long as this.
    /// </summary>
    public static readonly TimeSpan JoinersPatience = TimeSpan.FromSeconds(3);

    /// <summary>What to do next.</summary>
    /// <param name="view">What was read.</param>
    /// <param name="preferred">Lives that are asked first.</param>
    /// <param name="attempt">How often it has asked already; when there are more than are asked at once, others take their turn.</param>
    public static FoundingStep Decide(FoundingView view, IReadOnlySet<long> preferred, int attempt)
    {
        if (view.SelfIsGone)
        {
            return new FoundingStep.End("the journal counts this life as lost");
        }

        if (view.Epoch > 0 && view.Founder == view.Self)
        {
            return new FoundingStep.JoinSelf();
        }

        // One that has asked to be let in cannot take it back, and an answer of the former cluster may still be on its way.
        if (view.SelfEpoch != 0 && view.SelfEpoch != view.Epoch)
        {
            return new FoundingStep.End("another cluster was founded on this journal while this life tried to join");
        }

        EpochLife[] present = [.. view.Lives.Where(life => Hinders(life, view.Founder))];
        if (present.Length == 0 && view.Waited < JoinersPatience)
        {
            present = [.. view.Lives.Where(life => !life.IsPast)];
        }

        return present.Length == 0 ? new FoundingStep.Found([.. view.Lives.Where(life => life.IsPast).Select(life => life.Incarnation)])
            : view.SelfEpoch == 0 ? new FoundingStep.Enter(view.Epoch)
            : new FoundingStep.Join(Contacts(present, preferred, attempt));
    }

    /// <summary>Whether all that may be alive only ask to be let in themselves.</summary>
    public static bool OnlyJoiners(FoundingView view) =>
        !view.Lives.Any(life => Hinders(life, view.Founder)) && view.Lives.Any(life => !life.IsPast);

    /// <summary>
    /// Whether a life keeps others from founding for good: it is in the cluster, or is about to be its first member. One that only asks to
    /// be let in does so for a while. Should it have been let in by one that died, it sees the next epoch in the journal and ends.
    /// </summary>
    public static bool Hinders(EpochLife life, long founder) =>
        !life.IsPast && (life.Incarnation == founder || life.Status is MemberStatus.Up or MemberStatus.Leaving);

    private static List<long> Contacts(EpochLife[] present, IReadOnlySet<long> preferred, int attempt)
    {
        long[] all =
        [
            .. present
                .OrderByDescending(life => preferred.Contains(life.Incarnation))
                .ThenBy(life => life.Status == MemberStatus.Leaving)
                .ThenBy(life => life.Incarnation)
                .Select(life => life.Incarnation),
        ];
        int from = all.Length <= MaxContacts ? 0 : (int)((long)attempt * MaxContacts % all.Length);
        return [.. Enumerable.Range(0, Math.Min(all.Length, MaxContacts)).Select(i => all[(from + i) % all.Length])];
    }
}
