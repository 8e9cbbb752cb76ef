using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// Tells the node how far training is: at most every 100 ms, and never so that the last step stays untold. What was held back is told when
/// the time is over, also in the middle of a step that never ends, since what follows from a failure depends on the step that it came
/// after. Safe for use from several threads.
/// </summary>
internal sealed class ProgressReporter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly WorkerLink _link;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, double> _metrics = new(StringComparer.Ordinal);
    private StepResult? _untold;
    private long? _toldAt;

    /// <summary>Makes a reporter that has told nothing.</summary>
    public ProgressReporter(WorkerLink link, TimeProvider time)
    {
        _link = link;
        _time = time;
        _timer = time.CreateTimer(_ => Flush(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The newest value of each metric, as they are now.</summary>
    public IReadOnlyDictionary<string, double> Metrics
    {
        get
        {
            lock (_lock)
            {
                return new Dictionary<string, double>(_metrics, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>Takes metrics, which are told with the next progress.</summary>
    public void Merge(IReadOnlyDictionary<string, double>? metrics)
    {
        if (metrics is null)
        {
            return;
        }

        lock (_lock)
        {
            foreach ((string name, double value) in metrics)
            {
                _metrics[name] = value;
            }
        }
    }

    /// <summary>
    /// Tells a step now or within 100 ms. The first is told at once: it is what shows that a task is back after a fail-over.
    /// </summary>
    public void Report(in StepResult step)
    {
        lock (_lock)
        {
            TimeSpan since = _toldAt is long told ? _time.GetElapsedTime(told) : Interval;
            if (step.EndOfEpoch || step.Done || since >= Interval)
            {
                Tell(step);
                return;
            }

            if (_untold is null)
            {
                _timer.Change(Interval - since, Timeout.InfiniteTimeSpan);
            }

            _untold = step;
        }
    }

    /// <summary>Tells what was held back.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            if (_untold is { } step)
            {
                Tell(step);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void Tell(in StepResult step)
    {
        _untold = null;
        _toldAt = _time.GetTimestamp();
        _link.Send(new ProgressMessage(step.Step, step.TotalSteps, step.Epoch, _metrics));
    }
}
