namespace ActorTrainer.Core.Progress;

/// <summary>Collects the fields of one line by their meaning.</summary>
internal sealed class FieldCollector
{
    private const int MostMetrics = 12;
    private readonly Dictionary<string, double> _metrics = new(StringComparer.Ordinal);
    private long? _step;
    private long? _total;
    private long? _partStep;
    private long? _partTotal;
    private long? _counter;
    private long? _counterTotal;
    private double? _epoch;
    private double? _totalEpochs;
    private string _source = "";
    private bool _contradicts;

    public bool HasEpoch => _epoch is not null;

    /// <summary>Takes one value, if its name means anything.</summary>
    /// <param name="name">As <see cref="FieldNames.Normal"/> gives it.</param>
    /// <param name="value">The value.</param>
    /// <param name="total">What stands behind a slash; null: nothing.</param>
    /// <param name="whole">Whether the value is a whole number without a unit.</param>
    /// <param name="oneWord">Whether the script has written the name as one word.</param>
    public void Add(string name, double value, long? total, bool whole, bool oneWord)
    {
        bool counts = whole && value >= 0 && (total is null || value <= total);
        _contradicts |= value > total;
        if (counts && FieldNames.IsStep(name, total is not null))
        {
            _step ??= (long)value;
            _total ??= total;
            _source = _source.Length == 0 ? name : _source;
        }
        else if (value >= 0 && (total is null || counts) && FieldNames.IsEpoch(name, total is not null))
        {
            _epoch ??= value;
            _totalEpochs ??= total;
        }
        else if (counts && total is not null && FieldNames.IsBatch(name))
        {
            AddPart((long)value, total.Value);
        }
        else if (counts && total is null && FieldNames.IsTotal(name))
        {
            _total ??= (long)value;
        }
        else if (counts && total is null && FieldNames.IsEpochTotal(name))
        {
            _totalEpochs ??= value;
        }
        else if (total is null && _metrics.Count < MostMetrics && FieldNames.IsMetric(name, oneWord))
        {
            _ = _metrics.TryAdd(name, value);
        }
    }

    /// <summary>Steps of an epoch.</summary>
    public void AddPart(long step, long total)
    {
        if (step <= total)
        {
            _partStep ??= step;
            _partTotal ??= total;
        }
    }

    /// <summary>Steps that no name says anything of.</summary>
    public void AddCounter(long step, long total) => (_counter, _counterTotal) = (step, total);

    /// <summary>What the line says; null: nothing, or something that cannot be.</summary>
    public LineReading? ToReading()
    {
        bool part = _step is null && _partStep is not null;
        bool named = _step is not null || part;
        if (_contradicts || (named && _counter is not null) || _step > _total || _epoch > _totalEpochs)
        {
            return null;
        }

        LineReading reading = new()
        {
            Step = _step ?? _partStep ?? _counter,
            Total =
                _step is not null ? _total
                : part ? _partTotal
                : _counterTotal,
            Part = part,
            Epoch = _epoch,
            TotalEpochs = _epoch is null ? null : _totalEpochs,
            Metrics = _metrics,
            Source =
                part ? "batch"
                : _counter is not null ? "counter"
                : _source,
            Trust = _counter is null ? Trust.Line : Trust.Counter,
            Weak = _counter is not null || (named && _epoch is null && _metrics.Count == 0),
        };
        return reading.IsEmpty ? null : reading;
    }
}
