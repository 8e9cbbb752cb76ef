using System.Runtime.InteropServices;
using ActorTrainer.Training;

namespace ActorTrainer.Bench.Checkpoints;

/// <summary>A dense state in the proportions of a model with two Adam moments: three tensors of one size, random bytes.</summary>
internal sealed class BenchState : ITrainer
{
    private static readonly string[] Names = ["weights", "moment1", "moment2"];

    private readonly float[][] _tensors;

    public BenchState(long bytes, int seed)
    {
        int each = (int)(bytes / Names.Length / sizeof(float));
        _tensors = [.. Names.Select(_ => GC.AllocateUninitializedArray<float>(each))];
        Bytes = (long)each * sizeof(float) * Names.Length;
        Random random = new(seed);
        foreach (float[] tensor in _tensors)
        {
            random.NextBytes(BytesOf(tensor));
        }
    }

    /// <summary>How much it is.</summary>
    public long Bytes { get; }

    /// <summary>Its tensors.</summary>
    public IReadOnlyList<float[]> Tensors => _tensors;

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
