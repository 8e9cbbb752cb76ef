using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Api;

/// <summary>Three nodes, one of them lost, with tasks of every status.</summary>
public static class SampleCluster
{
    public static DateTimeOffset Now { get; } = new(2026, 3, 14, 15, 9, 26, TimeSpan.Zero);

    public static NodeAddress A { get; } = new("127.0.0.1", 7401);

    public static NodeAddress B { get; } = new("127.0.0.1", 7402);

    public static NodeAddress C { get; } = new("127.0.0.1", 7403);

    public static TaskId Digits { get; } = TaskId.Parse("digits-a-k3f9");

    public static FakeNode Create()
    {
        FakeNode node = new();
        TaskListing[] tasks = Tasks();
        foreach (TaskListing task in tasks)
        {
            node.Put(task);
        }

        node.View = new ClusterView(
            17,
            4,
            [
                new ClusterMember(4, A, "alpha", [], 2, MemberStatus.Up, false, 4001, "0.1.0")
                {
                    State = MemberState.Up,
                    IsCoordinator = true,
                },
                new ClusterMember(5, B, "beta", ["gpu"], 4, MemberStatus.Up, true, 4002, "0.1.0") { State = MemberState.Up },
                new ClusterMember(6, C, "gamma", [], 2, MemberStatus.Down, false, 4003, "0.1.0") { State = MemberState.Down },
            ]
        )
        {
            Shards = [.. Enumerable.Range(0, 16).Select(Shard)],
            Tasks = [.. tasks.Where(task => !task.Summary.IsFinished).Select(task => task.Summary)],
        };
        node.Live[Digits] = new TaskProgress(1_234, 4_000, 3.25, new Dictionary<string, double> { ["loss"] = 0.31274, ["rate"] = 0.001 });
        node.Checkpoints.Add(new CheckpointListing(Digits, Checkpoint(1_000, "interval"), 3, Now - TimeSpan.FromSeconds(12), false));
        node.Checkpoints.Add(new CheckpointListing(Digits, Checkpoint(800, "epoch"), 3, Now - TimeSpan.FromSeconds(40), true));
        node.Events[Digits] = [.. Events()];
        return node;
    }

    private static TaskListing[] Tasks() =>
        [
            Listing("digits-a", "k3f9", TaskStatus.Running, 10, A, 1_200, 4_000, "", 3, TimeSpan.FromMinutes(4), TimeSpan.FromSeconds(1))
                is var runs
                ? runs with
                {
                    Summary = runs.Summary with { LastCheckpointAt = Now - TimeSpan.FromSeconds(12), Pace = Pace() },
                }
                : runs,
            Listing(
                "digits-b",
                "p2wm",
                TaskStatus.Held,
                5,
                C,
                400,
                4_000,
                "three nodes were lost within 60s of its start",
                7,
                TimeSpan.FromMinutes(5),
                TimeSpan.FromSeconds(47)
            ),
            Listing(
                "shakespeare",
                "7tqa",
                TaskStatus.Pending,
                0,
                null,
                0,
                null,
                "waits for a free slot",
                11,
                TimeSpan.FromMinutes(6),
                TimeSpan.FromMinutes(6)
            ),
            Listing("warmup", "zz81", TaskStatus.Completed, 0, B, 100, 100, "", 3, TimeSpan.FromHours(2), TimeSpan.FromMinutes(95))
                is var done
                ? done with
                {
                    Summary = done.Summary with { ExitCode = 0 },
                }
                : done,
            Listing("broken", "m4ke", TaskStatus.Failed, 0, B, 12, null, "exit code 7", 5, TimeSpan.FromDays(1), TimeSpan.FromHours(23))
                is var bad
                ? bad with
                {
                    Summary = bad.Summary with { ExitCode = 7, Failures = 3, Runs = 3 },
                }
                : bad,
        ];

    private static TaskListing Listing(
        string name,
        string suffix,
        TaskStatus status,
        int priority,
        NodeAddress? address,
        long step,
        long? total,
        string detail,
        int shard,
        TimeSpan age,
        TimeSpan changed
    ) =>
        new(
            new TaskSummary(
                TaskId.Parse($"{name}-{suffix}"),
                name,
                new string('a', 64),
                shard,
                null,
                0,
                status,
                priority,
                1,
                detail,
                new TaskProgress(step, total, step / 400.0, new Dictionary<string, double>()),
                address,
                step > 0 ? 2 : 0,
                0,
                step > 500 ? Checkpoint(1_000, "interval") : null,
                0,
                false,
                null
            ),
            Now - age,
            Now - changed
        );

    /// <summary>One that nobody has used, one whose owner is lost, and the rest in turn.</summary>
    private static ShardOwnership Shard(int shard) =>
        shard switch
        {
            14 => new ShardOwnership(14, 0, 0),
            15 => new ShardOwnership(15, 6, 1),
            _ => new ShardOwnership(shard, shard % 2 == 1 ? 4 : 5, 1 + (shard % 3)),
        };

    private static CheckpointRef Checkpoint(long step, string reason) =>
        new(
            $"c-3-{step}-x7q2",
            step,
            step / 400.0,
            reason,
            10 << 20,
            1_572_864,
            ["p-3-x7q2", "p-2-a1b2"],
            new string('c', 64),
            new Dictionary<string, double> { ["loss"] = 0.42 }
        );

    private static SavePace Pace() =>
        new(
            TimeSpan.FromSeconds(58.8),
            SavePaceReason.Balance,
            TimeSpan.FromMilliseconds(20),
            TimeSpan.Zero,
            TimeSpan.FromMilliseconds(400),
            TimeSpan.FromMinutes(4),
            0
        );

    private static readonly string[] Traceback =
    [
        "Traceback (most recent call last):",
        "  File \"train.py\", line 7, in <module>",
        "ValueError: bad batch",
    ];

    private static IEnumerable<EventRow> Events()
    {
        TaskSpec spec = new()
        {
            Name = "digits-a",
            Priority = 10,
            Trainer = new TrainerSpec("Digits.DigitsTrainer", "/opt/digits/Digits.dll", null),
            WorkingDirectory = "/home/ada/digits",
            Environment = new Dictionary<string, string> { ["SEED"] = "7" },
            Secrets = new Dictionary<string, string> { ["HF_TOKEN"] = "file:/run/secrets/hf", ["API_KEY"] = "file:/run/secrets/api" },
            Umask = "027",
        };
        TaskEvent[] events =
        [
            new TaskSubmitted(spec),
            new TaskActivated(1, 6, C),
            new TaskStarted(1, 6, C, 5_001, null, 0),
            new TaskProgressed(new TaskProgress(420, 4_000, 1.05, new Dictionary<string, double> { ["loss"] = 0.9 })),
            new TaskCheckpointed(Checkpoint(800, "epoch")),
            new TaskActivated(3, 4, A),
            new TaskInterrupted(InterruptionReason.NodeLost, "127.0.0.1:7403 was confirmed down"),
            new TaskCheckpointDamaged("c-3-900-bad1", "p-3-bad1: chunk 4 has another hash"),
            new TaskStarted(2, 4, A, 5_044, "c-3-800-x7q2", 800),
            new TaskRetryScheduled(1, new Failure("exit-code", "exit code 7", 7, null, Traceback), TimeSpan.FromSeconds(2), true, 3),
            new TaskCheckpointed(Checkpoint(1_000, "interval")),
        ];
        for (int i = 0; i < events.Length; i++)
        {
            yield return new EventRow(Digits, i + 1, i < 5 ? 1 : 3, Now - TimeSpan.FromSeconds(240 - (20 * i)), events[i]);
        }
    }
}
