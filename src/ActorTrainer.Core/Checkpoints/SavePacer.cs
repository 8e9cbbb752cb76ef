namespace ActorTrainer.Core.Checkpoints;

/// <summary>What one run's saves were measured to cost, on top of what the runs before had shown. Volatile; decides nothing.</summary>
/// <param name="known">The task's pace when the run began; null: it has none yet.</param>
/// <param name="begunAt">When the run began to train.</param>
internal sealed class SavePacer(SavePace? known, TimeSpan begunAt)
{
    /// <summary>How much of the estimate a new measurement makes up.</summary>
    private const double Weight = 0.25;

    private bool _any;
    private bool _knows = known is not null;
    private bool _provisional;

    /// <summary>How long training stands still for a save.</summary>
    public TimeSpan Stall { get; private set; } = known?.Stall ?? TimeSpan.Zero;

    /// <summary>How much longer the steps beside a commit take.</summary>
    public TimeSpan Drag { get; private set; } = known?.Drag ?? TimeSpan.Zero;

    /// <summary>How long a commit takes.</summary>
    public TimeSpan Commit { get; private set; } = known?.Commit ?? TimeSpan.Zero;

    /// <summary>How long the task has trained in all.</summary>
    public TimeSpan Trained(TimeSpan now) => (known?.Trained ?? TimeSpan.Zero) + (now - begunAt);

    /// <summary>
    /// Takes the measurements of a save. The first one of a run meets memory that was never touched and writes the state as a whole, so it
    /// counts only as long as nothing else is known.
    /// </summary>
    /// <param name="stall">How long training stood still.</param>
    /// <param name="drag">How much longer steps took, by what the worker has seen of all saves so far; null: it cannot tell.</param>
    /// <param name="commit">How long the commit took.</param>
    public void Add(TimeSpan stall, TimeSpan? drag, TimeSpan commit)
    {
        bool first = !_any;
        _any = true;
        Drag = drag ?? Drag;
        if (first && _knows)
        {
            return;
        }

        double weight = !_knows || _provisional ? 1 : Weight;
        _provisional = first;
        _knows = true;
        Stall += weight * (stall - Stall);
        Commit += weight * (commit - Commit);
    }
}
