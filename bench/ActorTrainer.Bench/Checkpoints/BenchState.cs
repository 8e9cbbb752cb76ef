using System.Runtime.InteropServices;
using ActorTrainer.Training;

namespace ActorTrainer.Bench.Checkpoints;

/// <summary>The weights of a model and two moments: three tensors of one size.</summary>
internal sealed class BenchState : ITrainer
{
    private readonly float[][] _tensors;

    private BenchState(float[][] tensors) => _tensors = tensors;

    /// <summary>The tensors' names, in their order.</summary>
    public static IReadOnlyList<string> Names { get; } = ["weights", "moment1", "moment2"];

    /// <summary>How much it is.</summary>
    public long Bytes => _tensors.Sum(tensor => (long)tensor.Length * sizeof(float));

    /// <summary>Its tensors.</summary>
    public IReadOnlyList<float[]> Tensors => _tensors;

    /// <summary>Random bytes, in which nothing can be left out.</summary>
    public static BenchState Dense(long bytes, int seed)
    {
        int each = (int)(bytes / Names.Count / sizeof(float));
        Random random = new(seed);
        float[][] tensors = [.. Names.Select(_ => GC.AllocateUninitializedArray<float>(each))];
        Array.ForEach(tensors, tensor => random.NextBytes(BytesOf(tensor)));
        return new BenchState(tensors);
    }

    /// <summary>What a training has left: a file of little-endian floats for each name.</summary>
    public static BenchState Read(string folder) =>
        new([.. Names.Select(name => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, name + ".bin"))).ToArray())]);

    /// <summary>Changes a byte in every piece of this size, or only in one of so many.</summary>
    public void Change(int round, int chunkSize, int oneIn = 1)
    {
        foreach (float[] tensor in _tensors)
        {
            Span<byte> bytes = BytesOf(tensor);
            for (int at = 0, chunk = 0; at < bytes.Length; at += chunkSize, chunk++)
            {
                if ((chunk + round) % oneIn == 0)
                {
                    // In its middle, so that it is one chunk of the file as well.
                    bytes[at + (Math.Min(chunkSize, bytes.Length - at) / 2)]++;
                }
            }
        }
    }

    /// <summary>Changes one row of so many, as a step does with the rows of an embedding that a batch had.</summary>
    /// <param name="seed">Which rows, and how.</param>
    /// <param name="row">Values of a row.</param>
    /// <param name="oneIn">Of so many.</param>
    public void ChangeRows(int seed, int row, int oneIn)
    {
        Random random = new(seed);
        foreach (float[] tensor in _tensors)
        {
            for (int at = 0; at + row <= tensor.Length; at += row)
            {
                if (random.Next(oneIn) == 0)
                {
                    foreach (ref float value in tensor.AsSpan(at, row))
                    {
                        // Two bytes of zeros stay zeros.
                        value = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) ^ ((uint)random.Next(8) << 16));
                    }
                }
            }
        }
    }

    /// <summary>Writes all of it into a file, tensor after tensor.</summary>
    public void WriteTo(string path)
    {
        using FileStream file = File.Create(path);
        foreach (float[] tensor in _tensors)
        {
            file.Write(BytesOf(tensor));
        }
    }

    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<StepResult> StepAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        foreach ((string name, float[] tensor) in Names.Zip(_tensors))
        {
            writer.WriteTensor(name, tensor);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        foreach ((string name, float[] tensor) in Names.Zip(_tensors))
        {
            reader.ReadTensor(name, tensor);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    private static Span<byte> BytesOf(float[] tensor) => MemoryMarshal.AsBytes(tensor.AsSpan());
}
