using System.Globalization;
using ActorTrainer.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>Images of 8 × 8 points from 0 to 1, row by row, with the digit that each shows.</summary>
internal sealed class DigitsData
{
    public const int Side = 8;
    public const int Pixels = Side * Side;
    public const int Classes = 10;

    // Points are counted from 0 to 16 in the file.
    private const float Full = 16;

    private readonly float[] _images;
    private readonly int[] _labels;

    private DigitsData(float[] images, int[] labels) => (_images, _labels) = (images, labels);

    public int Count => _labels.Length;

    public ReadOnlySpan<float> Image(int index) => _images.AsSpan(index * Pixels, Pixels);

    public int Label(int index) => _labels[index];

    /// <summary>Reads the file: one image a line, 64 points and the digit, separated by commas.</summary>
    /// <exception cref="InvalidDataException">A line is not of that form.</exception>
    public static DigitsData Read(string path)
    {
        List<float> images = [];
        List<int> labels = [];
        foreach (string line in File.ReadLines(path))
        {
            int before = images.Count;
            int last = 0;
            foreach (Range part in line.AsSpan().Split(','))
            {
                if (!int.TryParse(line.AsSpan(part), NumberStyles.None, CultureInfo.InvariantCulture, out last))
                {
                    throw new InvalidDataException($"{path}:{labels.Count + 1}: '{line[part]}' is not a number.");
                }

                images.Add(last / Full);
            }

            images.RemoveAt(images.Count - 1);
            if (images.Count - before != Pixels || last is < 0 or >= Classes)
            {
                throw new InvalidDataException($"{path}:{labels.Count + 1}: expected {Pixels} points and a digit.");
            }

            labels.Add(last);
        }

        return new DigitsData([.. images], [.. labels]);
    }

    /// <summary>Takes a fifth away as held-out data; which images is decided by the seed.</summary>
    public (DigitsData Training, DigitsData HeldOut) Split(ulong seed)
    {
        int[] order = new int[Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        new SeededGenerator(seed, RandomStreams.Split).Shuffle(order.AsSpan());
        int heldOut = Count / 5;
        return (Select(order.AsSpan(heldOut)), Select(order.AsSpan(0, heldOut)));
    }

    private DigitsData Select(ReadOnlySpan<int> indices)
    {
        float[] images = new float[indices.Length * Pixels];
        int[] labels = new int[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            Image(indices[i]).CopyTo(images.AsSpan(i * Pixels));
            labels[i] = _labels[indices[i]];
        }

        return new DigitsData(images, labels);
    }
}

/// <summary>Which stream of the seed is used for what.</summary>
internal static class RandomStreams
{
    public const ulong Split = 1;
    public const ulong Weights = 2;
    public const ulong Training = 3;
}
