using System.Numerics.Tensors;
using ActorTrainer.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>
/// A perceptron with two hidden layers, rectifiers and dropout: 64 → hidden → hidden → 10. Its buffers hold one batch.
/// </summary>
internal sealed class Network
{
    private readonly int _hidden;
    private readonly float _dropout;
    private readonly float[] _hidden1;
    private readonly float[] _hidden2;
    private readonly float[] _mask1;
    private readonly float[] _mask2;
    private readonly float[] _error1;
    private readonly float[] _error2;
    private readonly float[] _output;

    public Network(int hidden, int batchSize, float dropout, SeededGenerator weights)
    {
        _hidden = hidden;
        _dropout = dropout;
        Layers =
        [
            new DenseLayer("layer0", DigitsData.Pixels, hidden, weights),
            new DenseLayer("layer1", hidden, hidden, weights),
            new DenseLayer("layer2", hidden, DigitsData.Classes, weights),
        ];
        Parameters = [.. Layers.SelectMany(layer => new[] { layer.Weight, layer.Bias })];
        _hidden1 = new float[batchSize * hidden];
        _hidden2 = new float[batchSize * hidden];
        _mask1 = new float[batchSize * hidden];
        _mask2 = new float[batchSize * hidden];
        _error1 = new float[batchSize * hidden];
        _error2 = new float[batchSize * hidden];
        _output = new float[batchSize * DigitsData.Classes];
    }

    public DenseLayer[] Layers { get; }

    public Parameter[] Parameters { get; }

    /// <summary>Probabilities of the classes, [samples, 10]; valid until the next call.</summary>
    public ReadOnlySpan<float> Predict(ReadOnlySpan<float> images, int samples) => Forward(images, samples, null);

    /// <summary>Sets the gradients of all parameters for the mean cross-entropy of a batch; gives that mean.</summary>
    public double Learn(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, SeededGenerator generator)
    {
        int samples = labels.Length;
        Forward(images, samples, generator);
        Span<float> output = _output.AsSpan(0, samples * DigitsData.Classes);
        double loss = 0;
        for (int sample = 0; sample < samples; sample++)
        {
            ref float probability = ref output[(sample * DigitsData.Classes) + labels[sample]];
            loss -= Math.Log(Math.Max(probability, float.Epsilon));
            probability -= 1;
        }

        // Softmax and cross-entropy together have the gradient (probability - target).
        TensorPrimitives.Multiply(output, 1f / samples, output);
        int units = samples * _hidden;
        Layers[2].Backward(_hidden2.AsSpan(0, units), output, _error2.AsSpan(0, units), samples);
        TensorPrimitives.Multiply(_error2.AsSpan(0, units), _mask2.AsSpan(0, units), _error2.AsSpan(0, units));
        Layers[1].Backward(_hidden1.AsSpan(0, units), _error2.AsSpan(0, units), _error1.AsSpan(0, units), samples);
        TensorPrimitives.Multiply(_error1.AsSpan(0, units), _mask1.AsSpan(0, units), _error1.AsSpan(0, units));
        Layers[0].Backward(images, _error1.AsSpan(0, units), [], samples);
        return loss / samples;
    }

    private Span<float> Forward(ReadOnlySpan<float> images, int samples, SeededGenerator? generator)
    {
        int units = samples * _hidden;
        Layers[0].Forward(images, _hidden1.AsSpan(0, units), samples);
        Activate(_hidden1.AsSpan(0, units), _mask1.AsSpan(0, units), generator);
        Layers[1].Forward(_hidden1.AsSpan(0, units), _hidden2.AsSpan(0, units), samples);
        Activate(_hidden2.AsSpan(0, units), _mask2.AsSpan(0, units), generator);
        Span<float> output = _output.AsSpan(0, samples * DigitsData.Classes);
        Layers[2].Forward(_hidden2.AsSpan(0, units), output, samples);
        for (int sample = 0; sample < samples; sample++)
        {
            SoftMax(output.Slice(sample * DigitsData.Classes, DigitsData.Classes));
        }

        return output;
    }

    // The rectifier and dropout in one: the mask is what the value, and later its error, is multiplied by. Units that are kept are
    // scaled up, so that nothing is to be scaled without dropout (Srivastava et al., "Dropout", 2014, section 10).
    private void Activate(Span<float> values, Span<float> mask, SeededGenerator? generator)
    {
        float kept = generator is null ? 1 : 1 / (1 - _dropout);
        for (int i = 0; i < values.Length; i++)
        {
            bool drop = generator is not null && generator.NextSingle() < _dropout;
            mask[i] = values[i] > 0 && !drop ? kept : 0;
        }

        TensorPrimitives.Multiply(values, mask, values);
    }

    private static void SoftMax(Span<float> values)
    {
        float max = values[0];
        foreach (float value in values)
        {
            max = Math.Max(max, value);
        }

        float sum = 0;
        foreach (ref float value in values)
        {
            value = MathF.Exp(value - max);
            sum += value;
        }

        foreach (ref float value in values)
        {
            value /= sum;
        }
    }
}
