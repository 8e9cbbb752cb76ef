using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>One life of a node in an <see cref="OwnershipModel"/>.</summary>
internal sealed class ModelLife(long number, int node)
{
    public long Number { get; } = number;

    public int Node { get; } = node;

    public bool Alive { get; set; } = true;

    public bool Stopped { get; set; }

    public bool HasJournal { get; set; } = true;

    public DowningRule Rule { get; } = new(new DowningTimes());

    public BeatLedger Beats { get; } = new();

    public TimeSpan? ReadAt { get; set; }

    public HashSet<long> Downed { get; } = [];

    /// <summary>Where the coordinator has put each task, as this life has heard.</summary>
    public Dictionary<TaskId, long> Homes { get; } = [];

    public Dictionary<TaskId, ModelOwner> Owners { get; } = [];
}

/// <summary>Events on their way into the journal.</summary>
internal sealed class ModelWrite(ModelOwner owner, long term, EntityStep step)
{
    public ModelOwner Owner { get; } = owner;

    public long Term { get; } = term;

    public EntityStep Step { get; } = step;

    /// <summary>Whether the journal has taken them; null: not decided yet.</summary>
    public bool? Result { get; set; }
}

/// <summary>A task's actor with its worker and the store, which do at once what they are asked to.</summary>
internal sealed class ModelOwner(TaskId task, long life, long sequence)
{
    private const long TotalSteps = 60;

    private readonly Queue<TaskInput> _inputs = [];
    private RunKey? _training;
    private long _step;
    private int _staged;

    public TaskId Task { get; } = task;

    public TaskEntity Entity { get; } = new(task, new EntityHome(life, EntityDriver.Here), journalsProgress: false);

    public DeterministicRandom Random { get; } = new((ulong)((life * 1000) + sequence));

    /// <summary>The last event that it knows.</summary>
    public long Sequence { get; set; } = sequence;

    public ModelWrite? Write { get; set; }

    /// <summary>The journal has refused an event of it.</summary>
    public bool Fenced { get; set; }

    /// <summary>What its worker or the store has done, or null; a worker that trains does a step now and then.</summary>
    public TaskInput? NextInput(Random random)
    {
        if (_inputs.TryDequeue(out TaskInput? input))
        {
            return input;
        }

        if (_training is not { } run)
        {
            return null;
        }

        if (++_step >= TotalSteps)
        {
            _training = null;
            _inputs.Enqueue(new WorkerExited(run, 0, null, null, []));
            return new WorkerDone(run, EntityDriver.Progress(_step), new Dictionary<string, string>());
        }

#pragma warning disable CA5394 // A schedule, no secret.
        return random.Next(6) == 0 ? Stage(run, CheckpointReasons.Interval) : new WorkerProgressed(run, EntityDriver.Progress(_step));
#pragma warning restore CA5394
    }

    public void Start(EntityStep step)
    {
        foreach (TaskEffect effect in step.AfterCommit)
        {
            switch (effect)
            {
                case StartWorker start:
                    _inputs.Enqueue(new WorkerStarted(start.Run, 4711));
                    _inputs.Enqueue(new WorkerReady(start.Run));
                    break;
                case RestoreCheckpoint restore:
                    _step = restore.Checkpoint.Step;
                    _inputs.Enqueue(new CheckpointRestored(restore.Run, restore.Checkpoint.Name));
                    break;
                case BeginTraining begin:
                    _training = begin.Run;
                    break;
                case RequestStaging request:
                    _inputs.Enqueue(Stage(request.Run, request.Reason));
                    break;
                case SaveCheckpoint save:
                    _inputs.Enqueue(
                        new CheckpointStored(save.Run, save.State.Id, EntityDriver.Ref(save.Name, save.State.Step, save.State.Reason))
                    );
                    break;
                case StopWorker stop:
                    _training = null;
                    _inputs.Enqueue(new WorkerExited(stop.Run, 0, null, null, []));
                    break;
            }
        }
    }

    private WorkerStaged Stage(RunKey run, string reason) =>
        new(run, new StagedState(FormattableString.Invariant($"s{++_staged}"), _step, 0, reason, new Dictionary<string, double>()));
}
