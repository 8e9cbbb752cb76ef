using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

/// <summary>
/// Which seeds are tried, and when. A node that is its only seed founds a cluster; the first seed founds one when every other seed failed
/// to answer or is itself waiting; the second seed does so 10 s later, and so on, so that a seed that never returns keeps nobody waiting.
/// Nodes that are no seeds wait. Later on, seeds at whose address no member is known are still tried, so that two clusters that were
/// founded apart become one.
/// </summary>
internal sealed class SeedJoin
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestAttempt = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FoundingStep = TimeSpan.FromSeconds(10);
    private readonly List<Seed> _seeds = [];
    private readonly int _position;
    private TimeSpan? _begunAt;

    public SeedJoin(NodeAddress self, IReadOnlyList<NodeAddress> seeds)
    {
        _position = seeds.Count == 0 ? 0 : seeds.Index().Where(seed => seed.Item == self).Select(seed => seed.Index).DefaultIfEmpty(-1).First();
        foreach (NodeAddress address in seeds.Distinct().Where(address => address != self))
        {
            _seeds.Add(new Seed(address));
        }
    }

    /// <summary>
    /// Whether this node may found a cluster now: no other seed has one, and every seed before it in the list has had its time.
    /// </summary>
    public bool MayFound(TimeSpan now)
    {
        _begunAt ??= now;
        return _position >= 0 && now - _begunAt >= _position * FoundingStep && _seeds.TrueForAll(seed => seed.Hopeless);
    }

    /// <summary>The seeds to connect to now.</summary>
    public IReadOnlyList<NodeAddress> Due(bool joined, Func<NodeAddress, bool> known, TimeSpan now, DeterministicRandom random)
    {
        List<NodeAddress> due = [];
        foreach (Seed seed in _seeds)
        {
            if ((joined && known(seed.Address)) || now < seed.NextAt)
            {
                continue;
            }

            seed.Backoff = TimeSpan.FromTicks(long.Min(LongestBackoff.Ticks, seed.Backoff.Ticks * 2));
            // Not tried again before it failed or was silent for long; see Failed.
            seed.NextAt = now + LongestAttempt + (joined ? Quiet : seed.Backoff * random.NextDouble());
            due.Add(seed.Address);
        }

        return due;
    }

    public void Failed(NodeAddress address, bool joined, TimeSpan now, DeterministicRandom random)
    {
        foreach (Seed seed in _seeds.Where(seed => seed.Address == address))
        {
            seed.Hopeless = true;
            seed.NextAt = now + (joined ? Quiet : seed.Backoff * (0.5 + (0.5 * random.NextDouble())));
        }
    }

    /// <summary>It answered, but joining takes its first message; it is asked again when that does not come.</summary>
    public void Connected(NodeAddress address, TimeSpan now)
    {
        foreach (Seed seed in _seeds.Where(seed => seed.Address == address))
        {
            seed.Hopeless = false;
            seed.Backoff = FirstBackoff;
            seed.NextAt = now + LongestBackoff;
        }
    }

    /// <summary>It answered, but has not joined a cluster either.</summary>
    public void Waits(NodeAddress address)
    {
        foreach (Seed seed in _seeds.Where(seed => seed.Address == address))
        {
            seed.Hopeless = true;
        }
    }

    private sealed class Seed(NodeAddress address)
    {
        public NodeAddress Address { get; } = address;

        public TimeSpan NextAt { get; set; }

        public TimeSpan Backoff { get; set; } = FirstBackoff / 2;

        /// <summary>It did not answer, or waits as well.</summary>
        public bool Hopeless { get; set; }
    }
}
