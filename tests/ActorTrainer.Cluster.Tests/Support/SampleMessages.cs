using System.Text.Json;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>One of every message, event, command and answer that is written or sent, with every field set.</summary>
internal static class SampleMessages
{
    public static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private static readonly TaskId Task = TaskId.Parse("digits-a1b2c");
    private static readonly NodeAddress Node = new("127.0.0.1", 7401);
    private static readonly Dictionary<string, double> Metrics = new() { ["loss"] = 0.25, ["worst"] = double.PositiveInfinity };
    private static readonly Failure Failure = new("cuda-oom", "exit code 1", 1, 9, ["line 1", "line 2"]);
    private static readonly TaskProgress Progress = new(12, 100, 1.5, Metrics);

    private static readonly CheckpointRef Checkpoint = new(
        "c-4-12-a1b2c3d4",
        12,
        1.5,
        "interval",
        100,
        50,
        ["packs/c-4-12-a1b2c3d4.pack"],
        new string('c', 64),
        Metrics
    );

    private static readonly SavePace Pace = new(
        TimeSpan.FromSeconds(58.8),
        SavePaceReason.Overhead,
        TimeSpan.FromMilliseconds(12),
        TimeSpan.FromMilliseconds(8),
        TimeSpan.FromMilliseconds(400),
        TimeSpan.FromHours(7),
        2
    );

    public static readonly TaskSpec Spec = new()
    {
        Name = "digits",
        Priority = 3,
        Slots = 2,
        Command = ["python3", "train.py"],
        Trainer = new TrainerSpec("Digits", "/opt/digits/Digits.dll", JsonDocument.Parse("""{"seed":1}""").RootElement.Clone()),
        Environment = new Dictionary<string, string> { ["SEED"] = "7" },
        WorkingDirectory = "/opt/digits",
        FromCheckpoint = "c-2-7-abcdefgh",
        Checkpoint = new CheckpointSpec
        {
            Strategy = CheckpointStrategy.Interval,
            EpochInterval = 3,
            Interval = TimeSpan.FromSeconds(1.5),
            BestMetric = "loss",
            BestIsLargest = true,
            KeepLast = 2,
            KeepBest = 3,
            OnDamage = DamageAction.Restart,
            KeepEvery = TimeSpan.FromHours(6),
            KeepEverySteps = 1000,
            MaxOverhead = 0.02,
            FullEverySaves = 7,
            FullEvery = TimeSpan.FromHours(8),
        },
        Retry = new RetrySpec
        {
            MaxAttempts = 4,
            Backoff = TimeSpan.FromSeconds(2),
            MaxBackoff = TimeSpan.FromSeconds(60),
            Rules = [new FailureRule("cuda-oom", FailureAction.RetryElsewhere, 1, 9, "out of memory")],
        },
        Stall = new StallSpec
        {
            Starting = TimeSpan.FromSeconds(1),
            Restoring = TimeSpan.FromSeconds(2),
            Training = TimeSpan.FromSeconds(3),
            Command = TimeSpan.FromSeconds(6),
            Evaluating = TimeSpan.FromSeconds(4),
            Saving = TimeSpan.FromSeconds(5),
        },
        Grace = TimeSpan.FromSeconds(9),
        WaitForChildren = true,
        Gang = "reserved",
        Rank = 1,
        GangSize = 2,
    };

    private static readonly TaskState State = new()
    {
        Task = Task,
        Spec = Spec,
        SpecHash = "hash",
        Status = ActorTrainer.Core.Tasks.TaskStatus.Retrying,
        Detail = "starts again",
        Term = 4,
        Incarnation = 9,
        Node = Node,
        Runs = 3,
        Failures = 2,
        FailedAtStep = 11,
        Progress = Progress,
        Checkpoints =
        [
            new ListedCheckpoint(Checkpoint, Damaged: true, Dead: false)
            {
                FailedStarts = 2,
                SetAside = true,
                ReadAgain = true,
                Pinned = true,
                VerifiedAt = new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero),
                Tags = ["best"],
            },
        ],
        RestoreFrom = Checkpoint.Name,
        RetryDelay = TimeSpan.FromSeconds(4),
        AvoidIncarnation = 8,
        NodeLosses = 1,
        Proven = true,
        NodeLeaving = true,
        BestMetric = 0.125,
        Pace = Pace,
        SinceFull = new SinceFull(3, new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero)),
        ExitCode = 3,
        Results = new Dictionary<string, string> { ["sum"] = "7" },
        Archived = true,
    };

    private static readonly TaskEvent[] Events =
    [
        new TaskSubmitted(Spec, "hash", 1, 9),
        new TaskActivated(4, 9, Node),
        new TaskPreparing(Node, "pip install -r requirements.txt"),
        new TaskStarted(2, 9, Node, 17, Checkpoint.Name, 12),
        new TaskAdopted(2, 9),
        new TaskProgressed(Progress, Settled: true),
        new TaskCheckpointed(Checkpoint) { Trained = TimeSpan.FromHours(7), Full = "one of 7 saves does so" },
        new TaskSavesPaced(TimeSpan.FromSeconds(10), Pace),
        new TaskCheckpointDamaged(Checkpoint.Name, "chunk 4 has another hash"),
        new TaskCheckpointSetAside(Checkpoint.Name, 2, "c-3-10-abcdefgh", 10),
        new TaskRestoreChosen(Checkpoint.Name, 12),
        new TaskCheckpointImported(Checkpoint.Name, 12),
        new TaskCheckpointPinned(Checkpoint.Name),
        new TaskCheckpointUnpinned(Checkpoint.Name),
        new TaskCheckpointTagged(Checkpoint.Name, "best"),
        new TaskCheckpointUntagged(Checkpoint.Name, "best"),
        new TaskCheckpointVerified(Checkpoint.Name, new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero)),
        new TaskCheckpointFailed("interval", "no space"),
        new TaskWarned("'data' is a link that leads out"),
        new TaskCheckpointRemoved(Checkpoint.Name, "expired"),
        new TaskPacksCondemned(Checkpoint.Packs),
        new TaskInterrupted(InterruptionReason.GuardLost, "the guard is gone"),
        new TaskRetryScheduled(2, Failure, TimeSpan.FromSeconds(4), Elsewhere: true)
        {
            NodeUnfit = true,
            FormerMayLive = true,
            FailedStartFrom = Checkpoint.Name,
        },
        new TaskMigrating(10, Node, "request"),
        new TaskNodeLeaving(Node),
        new TaskPaused(),
        new TaskResumed(),
        new TaskHeld("three nodes were lost"),
        new TaskCompleted(Progress, new Dictionary<string, string> { ["sum"] = "7" }),
        new TaskFailed(Failure),
        new TaskCancelled(),
        new TaskArchived(),
    ];

    private static readonly TaskCommand[] Commands =
    [
        new SubmitTask(Spec, "hash") { Checkpoint = Checkpoint },
        new PauseTask(),
        new ResumeTask(),
        new CancelTask(),
        new MigrateTask(Node),
        new SaveTask(),
        new ArchiveTask(),
        new RestoreTask(Checkpoint.Name),
        new PinCheckpoint(Checkpoint.Name),
        new UnpinCheckpoint(Checkpoint.Name),
        new TagCheckpoint(Checkpoint.Name, "best"),
        new UntagCheckpoint(Checkpoint.Name, "best"),
        new RecordVerification(Checkpoint.Name, new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero), "a chunk"),
        new RemoveCheckpoints([Checkpoint.Name]),
        new CollectGarbage(Checkpoint.Packs, DryRun: true),
        new PrepareImport(),
        new ImportCheckpoint(Checkpoint),
    ];

    private static readonly CommandReply[] Replies =
    [
        new CommandAccepted(Task, Existed: true)
        {
            Note = "the tag has moved",
            Files = Checkpoint.Packs,
            Term = 3,
            Checkpoint = Checkpoint,
        },
        new CommandRefused("no", NotFound: true),
        new CommandUnavailable("the journal is away"),
    ];

    private static readonly SilentMember Silent = new("akka.tcp://c@127.0.0.1:8401", -17);

    /// <summary>All, by a name that begins with the manifest.</summary>
    public static IReadOnlyDictionary<string, object> All { get; } =
        new Dictionary<string, object>(
            [
                .. Events.Select(e => Named("event-1", e, new JournaledEvent(4, e, At))),
                .. Commands.Select(c => Named("task-request-1", c, new TaskRequest(Task, c))),
                .. Replies.Select(r => Named("answer-1", r, new TaskAnswer(r, 12))),
                .. Enum.GetValues<NodeCommandKind>().Select(k => Named("node-request-1", k, new NodeRequest(k))),
                new("state-1", new FoldedTask(TaskState.FoldVersion, State, TaskTimes.None.After(new TaskCheckpointed(Checkpoint), At))),
                new("wake-1", new WakeTask(Task)),
                new("warm-1", new ActorTrainer.Cluster.Messages.WarmTask(Task)),
                new("warmed-1", new TaskWarmed(Task)),
                new("move-shard-1", new MoveShard(17, 3)),
                new("silence-question-1", new SilenceQuestion([Silent])),
                new("silence-answer-1", new SilenceAnswer("akka.tcp://c@127.0.0.1:8402", 4, [Silent])),
                new("journal-question-1", JournalQuestion.Instance),
                new("journal-answer-1", new JournalAnswer("akka.tcp://c@127.0.0.1:8402", -4, Reaches: true)),
            ],
            StringComparer.Ordinal
        );

    private static KeyValuePair<string, object> Named(string manifest, object what, object message) =>
        new($"{manifest} {(what is Enum ? what.ToString() : what.GetType().Name)}", message);
}
