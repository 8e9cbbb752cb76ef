using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Training;

namespace ActorTrainer.Samples.Digits;

/// <summary>
/// Learns to read hand-written digits. One thread, fixed order: the same seed gives the same weights, bit for bit, however often the
/// training was interrupted, because everything that changes is saved.
/// </summary>
public sealed class DigitsTrainer : ITrainer
{
    private const float NoiseDeviation = 0.05f;

    private TrainerContext _context = null!;
    private DigitsSettings _settings = null!;
    private DigitsData _training = null!;
    private DigitsData _heldOut = null!;
    private Network _network = null!;
    private Adam _adam = null!;
    private LearningRateSchedule _schedule = null!;
    private DataCursor _cursor = null!;
    private SeededGenerator _generator = null!;
    private float[] _images = [];
    private int[] _labels = [];
    private int[] _batch = [];
    private long _step;
    private long _totalSteps;

    /// <inheritdoc />
    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        _context = context;
        _settings = DigitsSettings.Read(context);
        (_training, _heldOut) = DigitsData.Read(_settings.DataFile).Split(_settings.Seed);
        _cursor = new DataCursor(_training.Count * _settings.Views, _settings.BatchSize, _settings.Seed);
        _totalSteps = (long)_settings.Epochs * _cursor.BatchesPerEpoch;
        _generator = new SeededGenerator(_settings.Seed, RandomStreams.Training);
        _network = new Network(
            _settings.Hidden,
            _settings.BatchSize,
            _settings.Dropout,
            new SeededGenerator(_settings.Seed, RandomStreams.Weights)
        );
        _adam = new Adam(_network.Parameters);
        _schedule = new LearningRateSchedule(_settings.LearningRate, _totalSteps);
        _images = new float[_settings.BatchSize * DigitsData.Pixels];
        _labels = new int[_settings.BatchSize];
        _batch = new int[_settings.BatchSize];
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        // A run that goes on from the final checkpoint has nothing left to do.
        if (_step >= _totalSteps)
        {
            return ValueTask.FromResult(new StepResult(_step, _totalSteps, _cursor.Position, EndOfEpoch: false, Done: true));
        }

        ReadOnlySpan<int> batch = _cursor.Next(_batch);
        for (int i = 0; i < batch.Length; i++)
        {
            int sample = batch[i] % _training.Count;
            DrawView(_training.Image(sample), _images.AsSpan(i * DigitsData.Pixels, DigitsData.Pixels));
            _labels[i] = _training.Label(sample);
        }

        double rate = _schedule.Next();
        double loss = _network.Learn(_images, _labels.AsSpan(0, batch.Length), _generator);
        _adam.Update(rate);
        _step++;
        return ValueTask.FromResult(
            new StepResult(
                _step,
                _totalSteps,
                _cursor.Position,
                EndOfEpoch: _cursor.AtEpochBoundary,
                Done: _step == _totalSteps,
                new Dictionary<string, double> { ["loss"] = loss, ["learning-rate"] = rate }
            )
        );
    }

    /// <inheritdoc />
    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(writer);
        foreach (Parameter parameter in _network.Parameters)
        {
            writer.WriteTensor($"model/{parameter.Name}", parameter.Values, parameter.Shape);
        }

        _adam.Save(writer);
        _schedule.Save(writer);
        _cursor.Save(writer, "cursor");
        _generator.Save(writer, "generator");
        writer.WriteTensor("progress/step", [_step]);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        foreach (Parameter parameter in _network.Parameters)
        {
            reader.ReadTensor($"model/{parameter.Name}", parameter.Values, parameter.Shape);
        }

        _adam.Load(reader);
        _schedule.Load(reader);
        _cursor.Load(reader, "cursor");
        _generator.Load(reader, "generator");
        reader.ReadTensor("progress/step", new Span<long>(ref _step));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken)
    {
        int right = 0;
        double loss = 0;
        for (int start = 0; start < _heldOut.Count; start += _settings.BatchSize)
        {
            int samples = Math.Min(_settings.BatchSize, _heldOut.Count - start);
            for (int i = 0; i < samples; i++)
            {
                _heldOut.Image(start + i).CopyTo(_images.AsSpan(i * DigitsData.Pixels));
            }

            ReadOnlySpan<float> probabilities = _network.Predict(_images, samples);
            for (int i = 0; i < samples; i++)
            {
                ReadOnlySpan<float> row = probabilities.Slice(i * DigitsData.Classes, DigitsData.Classes);
                int label = _heldOut.Label(start + i);
                loss -= Math.Log(Math.Max(row[label], float.Epsilon));
                right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row) == label ? 1 : 0;
            }
        }

        double accuracy = (double)right / _heldOut.Count;
        if (_step >= _totalSteps)
        {
            _context.SetResult("accuracy", accuracy);
            _context.SetResult("weights-sha256", HashWeights());
        }

        return ValueTask.FromResult<IReadOnlyDictionary<string, double>>(
            new Dictionary<string, double> { ["accuracy"] = accuracy, ["validation-loss"] = loss / _heldOut.Count }
        );
    }

    /// <summary>SHA-256 of all weights, lower-case hexadecimal.</summary>
    internal string HashWeights()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Parameter parameter in _network.Parameters)
        {
            hash.AppendData(MemoryMarshal.AsBytes(parameter.Values.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Another look at an image: shifted by up to one point each way, with a little noise. So the net does not learn the images by heart.
    private void DrawView(ReadOnlySpan<float> image, Span<float> view)
    {
        int shiftX = _generator.Next(3) - 1;
        int shiftY = _generator.Next(3) - 1;
        for (int y = 0; y < DigitsData.Side; y++)
        {
            for (int x = 0; x < DigitsData.Side; x++)
            {
                int fromX = x - shiftX;
                int fromY = y - shiftY;
                bool inside = fromX is >= 0 and < DigitsData.Side && fromY is >= 0 and < DigitsData.Side;
                float noise = (float)(NoiseDeviation * _generator.NextGaussian());
                view[(y * DigitsData.Side) + x] = (inside ? image[(fromY * DigitsData.Side) + fromX] : 0) + noise;
            }
        }
    }
}
