using System.Runtime.InteropServices;
using ActorTrainer.Core.Identity;
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
        BenchState state = new([.. Names.Select(_ => GC.AllocateUninitializedArray<float>(each))]);
        state.Change(seed);
        return state;
    }

    /// <summary>What a training has left: a file of little-endian floats for each name.</summary>
    public static BenchState Read(string folder)
    {
        BenchState state = new([
            .. Names.Select(name => new float[new FileInfo(Path.Combine(folder, name + ".bin")).Length / sizeof(float)]),
        ]);
        state.ReadAgain(folder);
        return state;
    }

    /// <summary>The same after it has gone on.</summary>
    public void ReadAgain(string folder)
    {
        foreach ((string name, float[] tensor) in Names.Zip(_tensors))
        {
            using FileStream file = File.OpenRead(Path.Combine(folder, name + ".bin"));
            file.ReadExactly(BytesOf(tensor));
        }
    }

    /// <summary>
    /// Makes all of it random, or a part of each tensor, another one each time: a layer that is trained while the others stand.
    /// </summary>
    /// <param name="round">Which part, and how.</param>
    /// <param name="oneIn">How many parts a tensor has.</param>
    public void Change(int round, int oneIn = 1)
    {
        DeterministicRandom random = new((ulong)round);
        foreach (float[] tensor in _tensors)
        {
            int part = tensor.Length / oneIn;
            foreach (ref ulong word in MemoryMarshal.Cast<float, ulong>(tensor.AsSpan(round % oneIn * part, part)))
            {
                word = random.NextUInt64();
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
