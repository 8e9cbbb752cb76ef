namespace ActorTrainer.Core.Identity;

/// <summary>
/// The random source that is handed into the cores: xoshiro256** seeded by splitmix64
/// (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018). The same seed gives the same numbers on every
/// platform and runtime version, which <c>System.Random</c> does not promise.
/// </summary>
public sealed class DeterministicRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    /// <summary>Seeds the four words of state from one number.</summary>
    public DeterministicRandom(ulong seed)
    {
        _a = SplitMix(ref seed);
        _b = SplitMix(ref seed);
        _c = SplitMix(ref seed);
        _d = SplitMix(ref seed);
    }

    /// <summary>Goes on from a state that was taken with <see cref="State"/>.</summary>
    public DeterministicRandom(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

    /// <summary>The four words of state.</summary>
    public (ulong A, ulong B, ulong C, ulong D) State => (_a, _b, _c, _d);

    /// <summary>The next 64 random bits.</summary>
    public ulong NextUInt64()
    {
        ulong result = ulong.RotateLeft(_b * 5, 7) * 9;
        ulong t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = ulong.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number in [0, <paramref name="exclusiveMax"/>), without bias (multiply and reject; Lemire 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int Next(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        uint bound = (uint)exclusiveMax;
        uint threshold = (0u - bound) % bound;
        while (true)
        {
            ulong product = (NextUInt64() >> 32) * bound;
            if ((uint)product >= threshold)
            {
                return (int)(product >> 32);
            }
        }
    }

    /// <summary>The next number of splitmix64, whose position is advanced.</summary>
    public static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
