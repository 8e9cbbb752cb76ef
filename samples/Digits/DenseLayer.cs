using System.Numerics.Tensors;
using ActorTrainer.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>
/// A layer y = x·W + b over a batch. Weights are [inputs, outputs], row by row; batches are [samples, units].
/// </summary>
/// <remarks>
/// Everything is done by adding multiples of rows, element by element, with one rounding each. Sums over a whole span, such as a dot
/// product, are avoided: how a vectorised one groups its terms may depend on where the array stands in memory, and with that the last
/// bits would.
/// </remarks>
internal sealed class DenseLayer
{
    private const int Block = 16;

    private readonly float[] _transposed;

    public DenseLayer(string name, int inputs, int outputs, SeededGenerator generator)
    {
        Name = name;
        Inputs = inputs;
        Outputs = outputs;
        Weight = new Parameter($"{name}/weight", [inputs, outputs]);
        Bias = new Parameter($"{name}/bias", [outputs]);
        _transposed = new float[inputs * outputs];

        // He et al., "Delving deep into rectifiers" (2015), section 2.2.
        generator.FillGaussian(Weight.Values, Math.Sqrt(2.0 / inputs));
    }

    public string Name { get; }

    public int Inputs { get; }

    public int Outputs { get; }

    public Parameter Weight { get; }

    public Parameter Bias { get; }

    public void Forward(ReadOnlySpan<float> x, Span<float> y, int samples)
    {
        for (int sample = 0; sample < samples; sample++)
        {
            Span<float> target = y.Slice(sample * Outputs, Outputs);
            Bias.Values.CopyTo(target);
            ReadOnlySpan<float> source = x.Slice(sample * Inputs, Inputs);
            for (int i = 0; i < Inputs; i++)
            {
                AddMultiple(Weight.Values.AsSpan(i * Outputs, Outputs), source[i], target);
            }
        }
    }

    /// <summary>Sets the gradients from that of the output; gives that of the input unless its span is empty.</summary>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int samples)
    {
        Array.Clear(Weight.Gradient);
        Array.Clear(Bias.Gradient);
        for (int sample = 0; sample < samples; sample++)
        {
            ReadOnlySpan<float> error = dy.Slice(sample * Outputs, Outputs);
            TensorPrimitives.Add(Bias.Gradient, error, Bias.Gradient);
            ReadOnlySpan<float> source = x.Slice(sample * Inputs, Inputs);
            for (int i = 0; i < Inputs; i++)
            {
                AddMultiple(error, source[i], Weight.Gradient.AsSpan(i * Outputs, Outputs));
            }
        }

        if (dx.IsEmpty)
        {
            return;
        }

        Transpose();
        for (int sample = 0; sample < samples; sample++)
        {
            ReadOnlySpan<float> error = dy.Slice(sample * Outputs, Outputs);
            Span<float> target = dx.Slice(sample * Inputs, Inputs);
            target.Clear();
            for (int o = 0; o < Outputs; o++)
            {
                AddMultiple(_transposed.AsSpan(o * Inputs, Inputs), error[o], target);
            }
        }
    }

    // Units that dropout or the rectifier set to zero, and blank points, cost nothing.
    private static void AddMultiple(ReadOnlySpan<float> row, float factor, Span<float> target)
    {
        if (factor != 0)
        {
            TensorPrimitives.FusedMultiplyAdd(row, factor, target, target);
        }
    }

    // In blocks, so that reading and writing both stay within a few cache lines.
    private void Transpose()
    {
        float[] source = Weight.Values;
        for (int row = 0; row < Inputs; row += Block)
        {
            int rowEnd = Math.Min(row + Block, Inputs);
            for (int column = 0; column < Outputs; column += Block)
            {
                int columnEnd = Math.Min(column + Block, Outputs);
                for (int c = column; c < columnEnd; c++)
                {
                    for (int r = row; r < rowEnd; r++)
                    {
                        _transposed[(c * Inputs) + r] = source[(r * Outputs) + c];
                    }
                }
            }
        }
    }
}

/// <summary>A trained tensor with its gradient and the two moments that Adam keeps of it.</summary>
internal sealed class Parameter
{
    public Parameter(string name, long[] shape)
    {
        Name = name;
        Shape = shape;
        long count = 1;
        foreach (long length in shape)
        {
            count *= length;
        }

        Values = new float[count];
        Gradient = new float[count];
        Moment1 = new float[count];
        Moment2 = new float[count];
    }

    public string Name { get; }

    public long[] Shape { get; }

    public float[] Values { get; }

    public float[] Gradient { get; }

    public float[] Moment1 { get; }

    public float[] Moment2 { get; }
}
