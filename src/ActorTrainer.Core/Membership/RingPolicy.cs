namespace ActorTrainer.Core.Membership;

/// <summary>Who is watched by whom: the members stand in a ring by incarnation, each watches the next ones.</summary>
internal static class RingPolicy
{
    /// <summary>
    /// The lives that <paramref name="self"/> watches: the next <paramref name="count"/> that it does not itself accuse, and those it
    /// accuses on the way (to hear them when they come back). Where it accuses all of its neighbours it watches everyone: then it
    /// is probably the one that is cut off, and must know whom it reaches.
    /// </summary>
    /// <param name="ring">Sorted lives that are not final; may contain self.</param>
    public static SortedSet<long> Watched(IReadOnlyList<long> ring, long self, int count, Func<long, bool> accused)
    {
        int start = 0;
        while (start < ring.Count && ring[start] <= self)
        {
            start++;
        }

        SortedSet<long> watched = [];
        int heard = 0;
        for (int i = 0; i < ring.Count && (heard < count || watched.Count == 0); i++)
        {
            long next = ring[(start + i) % ring.Count];
            if (next == self)
            {
                continue;
            }

            watched.Add(next);
            heard += accused(next) ? 0 : 1;
            if (heard == 0 && watched.Count == count)
            {
                return [.. ring.Where(life => life != self)];
            }
        }

        return watched;
    }
}
