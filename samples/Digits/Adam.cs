using System.Numerics.Tensors;
using ActorTrainer.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).</summary>
internal sealed class Adam(Parameter[] parameters)
{
    private const float Beta1 = 0.9f;
    private const float Beta2 = 0.999f;
    private const float Epsilon = 1e-8f;

    private readonly float[] _scratch = new float[parameters.Max(parameter => parameter.Values.Length)];
    private long _updates;

    public void Update(double learningRate)
    {
        _updates++;
        float rate = (float)(learningRate / (1 - Math.Pow(Beta1, _updates)));
        float correction = (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, _updates)));
        foreach (Parameter parameter in parameters)
        {
            ReadOnlySpan<float> gradient = parameter.Gradient;
            Span<float> moment1 = parameter.Moment1;
            Span<float> moment2 = parameter.Moment2;
            Span<float> scratch = _scratch.AsSpan(0, gradient.Length);

            TensorPrimitives.Multiply(moment1, Beta1, moment1);
            TensorPrimitives.FusedMultiplyAdd(gradient, 1 - Beta1, moment1, moment1);
            TensorPrimitives.Multiply(moment2, Beta2, moment2);
            TensorPrimitives.Multiply(gradient, gradient, scratch);
            TensorPrimitives.FusedMultiplyAdd(scratch, 1 - Beta2, moment2, moment2);

            TensorPrimitives.Sqrt(moment2, scratch);
            TensorPrimitives.Multiply(scratch, correction, scratch);
            TensorPrimitives.Add(scratch, Epsilon, scratch);
            TensorPrimitives.Divide(moment1, scratch, scratch);
            TensorPrimitives.FusedMultiplyAdd(scratch, -rate, parameter.Values, parameter.Values);
        }
    }

    public void Save(CheckpointWriter writer)
    {
        foreach (Parameter parameter in parameters)
        {
            writer.WriteTensor($"moments/first/{parameter.Name}", parameter.Moment1, parameter.Shape);
            writer.WriteTensor($"moments/second/{parameter.Name}", parameter.Moment2, parameter.Shape);
        }

        writer.WriteTensor("optimizer/updates", [_updates]);
    }

    public void Load(CheckpointReader reader)
    {
        foreach (Parameter parameter in parameters)
        {
            reader.ReadTensor($"moments/first/{parameter.Name}", parameter.Moment1, parameter.Shape);
            reader.ReadTensor($"moments/second/{parameter.Name}", parameter.Moment2, parameter.Shape);
        }

        reader.ReadTensor("optimizer/updates", new Span<long>(ref _updates));
    }
}

/// <summary>
/// The learning rate of each step: rises evenly during the first twentieth, then falls with half a cosine to zero (Loshchilov and
/// Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5).
/// </summary>
internal sealed class LearningRateSchedule(double highest, long steps)
{
    private readonly long _warmUp = Math.Max(1, steps / 20);
    private long _position;

    public double Next()
    {
        long position = _position++;
        if (position < _warmUp)
        {
            return highest * (position + 1) / _warmUp;
        }

        double done = (double)(position - _warmUp) / Math.Max(1, steps - _warmUp);
        return highest * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, done)));
    }

    public void Save(CheckpointWriter writer) => writer.WriteTensor("schedule/position", [_position]);

    public void Load(CheckpointReader reader) => reader.ReadTensor("schedule/position", new Span<long>(ref _position));
}
