using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Progress;

/// <summary>
/// What one run of a command says of its progress in its output. By the patterns of its task, or else guessed: what two lines contradict
/// each other in is not said any more.
/// </summary>
public sealed class ScriptProgress
{
    private const int MostMetrics = 12;
    private const int WeakReadings = 3;
    private const int FewestOfWeak = 10;
    private const int StepsBackToBelieve = 5;

    /// <summary>So often the steps have to go on over the end of an epoch to be those of the whole.</summary>
    private const int GrowthsToBelieve = 2;

    private readonly ProgressPattern[] _patterns;
    private readonly bool _off;
    private readonly StepRate _rate = new();
    private readonly SortedDictionary<string, double> _metrics = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unclear = new(StringComparer.Ordinal);
    private LineReading? _steps;
    private LineReading? _weak;
    private int _weakSeen;
    private int _stepsBack;
    private double? _epoch;
    private double? _totalEpochs;
    private double? _epochAtStep;
    private int? _rank;
    private bool _epochsAreTold;
    private int _growths;
    private bool _restarted;

    /// <param name="spec">How its output is read; null: by guessing.</param>
    public ScriptProgress(ProgressSpec? spec)
    {
        _off = spec?.Off ?? false;
        _patterns = [.. (spec?.Patterns ?? []).Select(pattern => new ProgressPattern(pattern))];
    }

    /// <summary>What it has said up to now; null: nothing.</summary>
    public OutputProgress? Current { get; private set; }

    /// <summary>About how long it still takes; null: not known.</summary>
    public TimeSpan? Remaining { get; private set; }

    /// <summary>Takes lines of output, oldest first; some may have been left out before them. Never throws, whatever they are.</summary>
    /// <param name="lines">The lines, without their ends.</param>
    /// <param name="now">When they were printed, about, by a monotonic clock.</param>
    /// <returns>Whether they said anything new.</returns>
    public bool Add(IEnumerable<string> lines, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(lines);
        if (_off)
        {
            return false;
        }

        bool any = false;
        foreach (string line in lines)
        {
            LineReading? reading = _patterns.Length == 0 ? LineReader.Read(line) : ByPattern(line);
            any |= reading is not null && Take(reading);
        }

        if (!any)
        {
            return false;
        }

        bool whole = IsWhole;
        if (whole && _steps is { Step: { } step })
        {
            _rate.Add(step, now);
        }
        else
        {
            _rate.Clear();
        }

        Remaining = whole ? _rate.Remaining(_steps?.Total) : null;
        OutputProgress said = new()
        {
            Step = _steps?.Step,
            TotalSteps = _steps?.Total,
            OfEpoch = _steps is not null && !whole,
            Epoch = _epoch,
            TotalEpochs = _totalEpochs,
            Metrics = new Dictionary<string, double>(_metrics),
            Guessed = _patterns.Length == 0,
        };
        Current = said.Says ? said : null;
        return true;
    }

    /// <summary>Whether the steps are those of the whole training, as far as can be seen.</summary>
    private bool IsWhole =>
        _steps is { Part: false }
        && !_restarted
        && (_steps.Trust == Trust.Pattern || !_epochsAreTold || _growths >= GrowthsToBelieve || _totalEpochs == 1);

    private LineReading? ByPattern(string line)
    {
        if (line.Length > LineReader.LongestLine)
        {
            return null;
        }

        string plain = LineReader.Plain(line);
        return _patterns.Select(pattern => pattern.Read(plain)).FirstOrDefault(reading => reading is not null);
    }

    private bool Take(LineReading reading)
    {
        if (reading.Rank is { } rank)
        {
            if (rank > _rank)
            {
                return false;
            }

            if (rank < _rank)
            {
                Forget();
            }

            _rank = rank;
        }

        if (reading.Weak && !IsConfirmed(reading))
        {
            return false;
        }

        if (reading.Epoch is { } epoch)
        {
            _epoch = epoch;
            _totalEpochs = reading.TotalEpochs ?? _totalEpochs;

            // In the script's own words, beside which a counter may begin anew in each epoch. Hugging Face's records have epochs, and its
            // bar counts the whole.
            _epochsAreTold |= epoch == Math.Floor(epoch) && !(reading.IsRecord && reading.Step is null);
        }

        foreach ((string name, double value) in reading.Metrics)
        {
            if (_metrics.ContainsKey(name) || _metrics.Count < MostMetrics)
            {
                _metrics[name] = value;
            }
        }

        if (reading.Step is not null)
        {
            TakeStep(reading);
        }

        return true;
    }

    /// <summary>What was said came from another process than the one that is listened to from now on.</summary>
    private void Forget()
    {
        (_steps, _weak, _epoch, _totalEpochs, _epochsAreTold) = (null, null, null, null, false);
        _metrics.Clear();
        _unclear.Clear();
        _rate.Clear();
    }

    /// <summary>
    /// A counter without anything beside it, or without a name, counts for something once it has grown a few times, towards a total that is
    /// worth it.
    /// </summary>
    private bool IsConfirmed(LineReading reading)
    {
        if (_steps is { } known && known.Source == reading.Source && (reading.Total is null || reading.Total == known.Total))
        {
            return true;
        }

        bool grows = _weak is { } before && before.Source == reading.Source && before.Total == reading.Total && reading.Step > before.Step;
        _weakSeen = grows ? _weakSeen + 1 : 1;
        _weak = reading;
        return _weakSeen >= WeakReadings && reading.Total is null or >= FewestOfWeak;
    }

    private void TakeStep(LineReading reading)
    {
        if (
            _unclear.Contains(reading.Source)
            || (_steps is { } standing && standing.Source != reading.Source && standing.Trust >= reading.Trust)
        )
        {
            return;
        }

        if (_steps is not { } before || before.Source != reading.Source)
        {
            (_steps, _restarted, _growths, _stepsBack, _epochAtStep) = (reading, false, 0, 0, _epoch);
            _rate.Clear();
            return;
        }

        bool otherTotal = reading.Total != before.Total && reading.Total is not null && before.Total is not null;
        if (otherTotal && reading.Trust == Trust.Bar)
        {
            // A bar inside the other one: an evaluation, or the batches of an epoch. Behind its end the two may be anything.
            if (before.Step == before.Total)
            {
                _ = _unclear.Add(reading.Source);
                _steps = null;
            }

            return;
        }

        if (reading.Step < before.Step && !otherTotal)
        {
            bool anew = reading.Step * 2 <= before.Step || reading.Trust == Trust.Pattern || ++_stepsBack >= StepsBackToBelieve;
            if (!anew)
            {
                // Another process, a little behind.
                return;
            }
        }

        bool back = reading.Step < before.Step || otherTotal;
        _restarted |= back;
        _growths += !back && reading.Step > before.Step && _epoch > _epochAtStep ? 1 : 0;
        _stepsBack = 0;
        _epochAtStep = _epoch;
        _steps = reading with { Total = reading.Total ?? before.Total };
    }
}
