namespace ActorTrainer.Core.Cluster;

/// <summary>
/// When the beat of each life was last seen to move. A beat is a counter that a life advances in the journal about once a second; nobody's
/// clock is compared with another's. Not safe for use by several threads.
/// </summary>
public sealed class BeatLedger
{
    private readonly Dictionary<long, (long Beat, TimeSpan Moved)> _seen = [];

    /// <summary>Takes what was read. Lives that are not among it any more are forgotten.</summary>
    /// <param name="beats">The lives on record with their beats.</param>
    /// <param name="now">The observer's own time when it began to read; time in which it stood still must not be in it, see
    /// <see cref="OwnTime"/>.</param>
    public void Observe(IReadOnlyCollection<(long Life, long Beat)> beats, TimeSpan now)
    {
        HashSet<long> lives = [.. beats.Select(b => b.Life)];
        foreach (long gone in _seen.Keys.Where(life => !lives.Contains(life)).ToArray())
        {
            _seen.Remove(gone);
        }

        foreach ((long life, long beat) in beats)
        {
            if (!_seen.TryGetValue(life, out (long Beat, TimeSpan Moved) last) || last.Beat != beat)
            {
                _seen[life] = (beat, now);
            }
        }
    }

    /// <summary>When a life's beat was last seen to move, or first seen at all; null: it was never seen.</summary>
    public TimeSpan? MovedAt(long life) => _seen.TryGetValue(life, out (long Beat, TimeSpan Moved) last) ? last.Moved : null;
}
