using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Samples.Demo;

/// <summary>A loss of the task's node, measured from outside.</summary>
/// <param name="At">When, in the demo's time.</param>
/// <param name="Run">The run that was lost.</param>
/// <param name="HighestStep">The highest step seen before.</param>
internal sealed record Loss(TimeSpan At, int Run, long HighestStep)
{
    /// <summary>From the loss until a later run was seen above <see cref="HighestStep"/>.</summary>
    public TimeSpan? TrainedAgainAfter { get; set; }
}

/// <summary>A task as an observer outside the cluster knows it: everything that was acknowledged to it is written down here.</summary>
internal sealed class TaskRecord(TaskSpec spec, int? seed)
{
    private readonly SortedDictionary<int, long> _highest = [];
    private DateTimeOffset _changedAt;

    public TaskSpec Spec { get; } = spec;

    public string Name => Spec.Name;

    /// <summary>The seed of a Digits task, or null.</summary>
    public int? Seed { get; } = seed;

    /// <summary>The newest view, or null before the first.</summary>
    public TaskView? View { get; private set; }

    /// <summary>Events as they were read, by sequence.</summary>
    public List<EventRow> Events { get; } = [];

    /// <summary>When the newest checkpoint was seen, in the demo's time.</summary>
    public TimeSpan CheckpointSeenAt { get; private set; }

    /// <summary>The step shown when the newest checkpoint was seen.</summary>
    public long StepAtCheckpoint { get; private set; }

    /// <summary>What the script prints, for a task that reports no steps; else null.</summary>
    public ScriptOutput? Output { get; init; }

    /// <summary>The loss of its node, if its node was lost.</summary>
    public Loss? Loss { get; private set; }

    /// <summary>The newest step.</summary>
    public long Step => Output?.Step ?? View?.Progress.Step ?? 0;

    public bool Finished => View?.Finished ?? false;

    public IEnumerable<TaskStarted> Starts => Events.Select(row => row.Event).OfType<TaskStarted>();

    public IEnumerable<CheckpointRef> Checkpoints => Events.Select(row => row.Event).OfType<TaskCheckpointed>().Select(e => e.Checkpoint);

    public TaskCompleted? Completed => Events.Select(row => row.Event).OfType<TaskCompleted>().LastOrDefault();

    /// <summary>Steps done more than once, over all its starts: from the checkpoint up to where the run before was seen.</summary>
    public long StepsRedone => Output?.StepsRedone ?? Starts.Sum(start => Math.Max(0, HighestBefore(start.Run) - start.RestoredStep));

    /// <summary>
    /// Whether it trains on a node, in an epoch that is not just beginning or ending, and is past a checkpoint of this run.
    /// </summary>
    public bool IsPastACheckpoint
    {
        get
        {
            if (
                View is not { Status: TaskStatus.Running } view
                || Events.FindLastIndex(row => row.Event is TaskStarted) is var started && started < 0
            )
            {
                return false;
            }

            bool saved = Events.Skip(started).Any(row => row.Event is TaskCheckpointed);
            double inEpoch = view.Progress.Epoch - Math.Floor(view.Progress.Epoch);
            return saved && Step > StepAtCheckpoint && (Output is not null || (view.Live && inEpoch is > 0.05 and < 0.95));
        }
    }

    public bool RunsOn(NodeAddress node) => View is { Status: TaskStatus.Running } view && view.Node == node;

    /// <summary>Takes a view; gives whether there are new events to read.</summary>
    public bool Take(TaskView view, TimeSpan now)
    {
        View = view;
        if (view.Live)
        {
            _highest[view.Runs] = Math.Max(_highest.GetValueOrDefault(view.Runs), view.Progress.Step);
        }

        if (Loss is { TrainedAgainAfter: null } loss && HasGoneOn(loss))
        {
            loss.TrainedAgainAfter = now - loss.At;
        }

        bool changed = view.ChangedAt != _changedAt;
        _changedAt = view.ChangedAt;
        return changed;
    }

    public void Take(EventRow row, TimeSpan now)
    {
        Events.Add(row);
        if (row.Event is TaskCheckpointed checkpointed)
        {
            CheckpointSeenAt = now;
            StepAtCheckpoint = Output?.Step ?? checkpointed.Checkpoint.Step;
        }
    }

    public void TakeLoss(TimeSpan now)
    {
        int run = View?.Runs ?? 0;
        Loss = new Loss(now, run, Output?.Highest ?? HighestBefore(run + 1));
        Output?.WatchFrom(Loss.HighestStep);
    }

    private bool HasGoneOn(Loss loss) =>
        Output is null ? _highest.Any(run => run.Key > loss.Run && run.Value > loss.HighestStep) : Output.HasGoneOn;

    private long HighestBefore(int run)
    {
        long seen = _highest.Where(entry => entry.Key < run).Select(entry => entry.Value).DefaultIfEmpty(0).Max();
        foreach (TaskEvent told in Events.Select(row => row.Event))
        {
            switch (told)
            {
                case TaskStarted started when started.Run >= run:
                    return seen;
                case TaskProgressed progressed:
                    seen = Math.Max(seen, progressed.Progress.Step);
                    break;
                case TaskCheckpointed checkpointed:
                    seen = Math.Max(seen, checkpointed.Checkpoint.Step);
                    break;
            }
        }

        return seen;
    }
}
