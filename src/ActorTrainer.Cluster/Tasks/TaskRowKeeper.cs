using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>Makes a task's row of its state and hands it to the node's writer.</summary>
internal sealed class TaskRowKeeper(TaskHost host)
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private TimeSpan _toldAt;
    private long _toldStep;

    /// <summary>When things happened to the task.</summary>
    public TaskTimes Times { get; set; } = TaskTimes.None;

    /// <summary>When the row was handed in last, by the node's monotonic time.</summary>
    public TimeSpan PutAt { get; private set; }

    /// <summary>Whether an event changes the list of checkpoints.</summary>
    public static bool ChangesCheckpoints(TaskEvent e) =>
        e
            is TaskCheckpointed
                or TaskCheckpointDamaged
                or TaskCheckpointSetAside
                or TaskCheckpointRemoved
                or TaskRestoreChosen
                or TaskCheckpointImported
                or TaskCheckpointPinned
                or TaskCheckpointUnpinned
                or TaskCheckpointTagged
                or TaskCheckpointUntagged
                or TaskCheckpointVerified
                or TaskResumed
                or TaskStarted;

    /// <summary>Hands the row in.</summary>
    /// <param name="entity">The task's actor.</param>
    /// <param name="state">The state to show.</param>
    /// <param name="sequence">The event up to which it is current.</param>
    /// <param name="owner">The life that has the task; 0: none.</param>
    /// <param name="everything">Whether the list of checkpoints is written as well.</param>
    public void Put(IActorRef entity, TaskState state, long sequence, long owner, bool everything)
    {
        PutAt = host.Now;
        TellMetrics(state);
        host.Rows.Put(entity, Row(state.Summarize(ShardOf(state)), state, sequence, owner), everything ? Listings(state) : null);
    }

    /// <summary>Hands in the row of a task whose events cannot be read any further.</summary>
    public void PutHeld(IActorRef entity, TaskState state, long sequence, string reason) =>
        host.Rows.Put(
            entity,
            Row(state.Summarize(ShardOf(state)) with { Status = TaskStatus.Held, Detail = reason }, state, sequence, host.Home.Incarnation),
            Listings(state)
        );

    private void TellMetrics(TaskState state)
    {
        TaskProgress progress = Measured(state.Progress);
        if (progress.Metrics.Count > 0 && progress.Step != _toldStep && (state.IsFinished || host.Now - _toldAt >= TellEvery))
        {
            (_toldAt, _toldStep) = (host.Now, progress.Step);
            host.Metrics?.Add(state.Task, new MetricPoint(progress.Step, progress.Epoch, host.Time.GetUtcNow(), progress.Metrics));
        }
    }

    /// <summary>Of a command what the patterns of its task have read, at its own steps: what is guessed is no measurement.</summary>
    private static TaskProgress Measured(TaskProgress progress) =>
        progress.Output is { Guessed: false, OfEpoch: false, Step: { } step } output
            ? progress with
            {
                Step = step,
                Epoch = output.Epoch ?? 0,
                Metrics = output.Metrics,
            }
            : progress;

    private int ShardOf(TaskState state) => ShardMap.ShardOf(state.Task, host.NumberOfShards);

    private TaskRow Row(TaskSummary summary, TaskState state, long sequence, long owner) =>
        new(
            summary with
            {
                LastCheckpointAt = SavedAt(summary.LastCheckpoint),
            },
            sequence,
            state.Term,
            owner,
            Times.SubmittedAt,
            Times.ChangedAt
        );

    private DateTimeOffset? SavedAt(CheckpointRef? checkpoint) =>
        checkpoint is not null && Times.Checkpoints.TryGetValue(checkpoint.Name, out DateTimeOffset at) ? at : null;

    private List<CheckpointListing> Listings(TaskState state) =>
        [
            .. state.Checkpoints.Select(c => new CheckpointListing(
                state.Task,
                c.Checkpoint,
                CheckpointNames.TryParse(c.Checkpoint.Name, out long term) ? term : 0,
                Times.Checkpoints.GetValueOrDefault(c.Checkpoint.Name),
                c.Damaged
            )
            {
                Overtaken = c.Dead,
                SetAside = c.SetAside,
                VerifiedAt = c.VerifiedAt,
                Pinned = c.Pinned,
                Tags = c.Tags,
            }),
        ];
}
