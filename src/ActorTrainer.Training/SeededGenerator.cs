using System.Globalization;
using System.Text.Json;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Training;

/// <summary>
/// A random source whose whole state is saved with a checkpoint: xoshiro256** seeded by splitmix64 (Blackman and Vigna, "Scrambled
/// linear pseudorandom number generators", 2018). The same seed and stream give the same numbers on every platform. Not for secrets.
/// </summary>
public sealed class SeededGenerator
{
    private const string Algorithm = "xoshiro256**";

    private DeterministicRandom _bits;
    private double? _gaussian;

    /// <summary>Makes a generator.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="stream">Tells generators of one seed apart (weights, dropout, augmentation). Default 0.</param>
    public SeededGenerator(ulong seed, ulong stream = 0)
    {
        // Stream 0 is the reference seeding. Other streams start splitmix64 at a mixed position, so that streams of neighbouring
        // numbers do not walk through the same sequence one step apart.
        ulong position = stream;
        _bits = new DeterministicRandom(stream == 0 ? seed : seed ^ DeterministicRandom.SplitMix(ref position));
    }

    internal SeededGenerator(ulong s0, ulong s1, ulong s2, ulong s3) => _bits = new DeterministicRandom(s0, s1, s2, s3);

    /// <summary>The next 64 random bits.</summary>
    public ulong NextUInt64() => _bits.NextUInt64();

    /// <summary>Uniform in [0, 1), with 53 random bits.</summary>
    public double NextDouble() => _bits.NextDouble();

    /// <summary>Uniform in [0, 1), with 24 random bits.</summary>
    public float NextSingle() => (NextUInt64() >> 40) * (1.0f / (1 << 24));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double NextUniform(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>
    /// Uniform in [0, <paramref name="exclusiveMax"/>), without bias (Lemire, "Fast random integer generation in an interval", 2019).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int Next(int exclusiveMax) => _bits.Next(exclusiveMax);

    /// <summary>
    /// Normally distributed with mean 0 and deviation 1 (polar method; Marsaglia and Bray, 1964). Every second value was drawn
    /// together with the one before and waits in the state, which is saved with the rest.
    /// </summary>
    public double NextGaussian()
    {
        if (_gaussian is { } waiting)
        {
            _gaussian = null;
            return waiting;
        }

        double x,
            y,
            square;
        do
        {
            x = (2 * NextDouble()) - 1;
            y = (2 * NextDouble()) - 1;
            square = (x * x) + (y * y);
        } while (square is >= 1 or 0);

        double scale = Math.Sqrt(-2 * Math.Log(square) / square);
        _gaussian = y * scale;
        return x * scale;
    }

    /// <summary>Fills with uniform numbers in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public void FillUniform(Span<float> values, float low = 0, float high = 1)
    {
        foreach (ref float value in values)
        {
            value = low + ((high - low) * NextSingle());
        }
    }

    /// <summary>Fills with normally distributed numbers of mean 0.</summary>
    public void FillGaussian(Span<float> values, double deviation = 1)
    {
        foreach (ref float value in values)
        {
            value = (float)(deviation * NextGaussian());
        }
    }

    /// <summary>Puts the values into a random order, each with the same probability (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = Next(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>Writes the whole state as one entry.</summary>
    public void Save(CheckpointWriter writer, string name)
    {
        ArgumentNullException.ThrowIfNull(writer);
        GeneratorState state = Capture();
        writer.WriteJson(
            name,
            json =>
            {
                json.WriteString("algorithm"u8, state.Algorithm);
                json.WriteStartArray("words"u8);
                foreach (string word in state.Words)
                {
                    json.WriteStringValue(word);
                }

                json.WriteEndArray();
                if (state.Gaussian is not null)
                {
                    json.WriteString("gaussian"u8, state.Gaussian);
                }
            }
        );
    }

    /// <summary>Takes over a saved state.</summary>
    /// <exception cref="CheckpointEntryException">The entry is missing or holds the state of something else.</exception>
    public void Load(CheckpointReader reader, string name)
    {
        ArgumentNullException.ThrowIfNull(reader);
        GeneratorState state = reader.ReadJson(
            name,
            json => new GeneratorState(
                json.GetProperty("algorithm"u8).GetString() ?? "",
                [.. json.GetProperty("words"u8).EnumerateArray().Select(word => word.GetString() ?? "")],
                json.TryGetProperty("gaussian"u8, out JsonElement gaussian) ? gaussian.GetString() : null
            )
        );
        if (!TryApply(state))
        {
            throw new CheckpointEntryException(
                name,
                $"holds a generator '{state.Algorithm}' with {state.Words.Length} words; {Algorithm} with 4 hexadecimal words is needed."
            );
        }
    }

    private GeneratorState Capture()
    {
        (ulong a, ulong b, ulong c, ulong d) = _bits.State;
        return new GeneratorState(
            Algorithm,
            [Hex(a), Hex(b), Hex(c), Hex(d)],
            _gaussian is { } waiting ? Hex(BitConverter.DoubleToUInt64Bits(waiting)) : null
        );
    }

    private bool TryApply(GeneratorState state)
    {
        Span<ulong> words = stackalloc ulong[5];
        if (state.Algorithm != Algorithm || state.Words.Length != 4)
        {
            return false;
        }

        for (int i = 0; i < 4; i++)
        {
            if (!TryParseHex(state.Words[i], out words[i]))
            {
                return false;
            }
        }

        if (state.Gaussian is not null && !TryParseHex(state.Gaussian, out words[4]))
        {
            return false;
        }

        _bits = new DeterministicRandom(words[0], words[1], words[2], words[3]);
        _gaussian = state.Gaussian is null ? null : BitConverter.UInt64BitsToDouble(words[4]);
        return true;
    }

    // Hexadecimal, because many JSON readers keep only 53 bits of a number.
    private static string Hex(ulong value) => value.ToString("x16", CultureInfo.InvariantCulture);

    private static bool TryParseHex(string? text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}

internal sealed record GeneratorState(string Algorithm, string[] Words, string? Gaussian);
