using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Released;

/// <summary>What the kept journal of a version holds: a task of every status, made by a real node that is killed in the end.</summary>
internal static class ReleaseScenario
{
    public const string Running = "running";
    public const string Waiting = "waiting";
    public const string Paused = "paused";
    public const string Retrying = "retrying";
    public const string Held = "held";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    /// <summary>Of this one two snapshots are there, and no events before the older one.</summary>
    public const string Folded = "folded";

    /// <summary>This one is in the archive alone.</summary>
    public const string Archived = "archived";

    /// <summary>The steps of the completed one, each told with its loss.</summary>
    public const long Steps = 40;

    /// <summary>Two, of which the running task takes one: who wants both waits.</summary>
    public const int Slots = 2;

    private const int KeepEvents = 10;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);
    private static readonly CheckpointSpec WhenAsked = new() { Strategy = CheckpointStrategy.Interval, Interval = Never };

    /// <summary>The listed tasks.</summary>
    public static IReadOnlyDictionary<string, TaskStatus> Expected { get; } =
        new Dictionary<string, TaskStatus>(StringComparer.Ordinal)
        {
            [Running] = TaskStatus.Running,
            [Waiting] = TaskStatus.Pending,
            [Paused] = TaskStatus.Paused,
            [Retrying] = TaskStatus.Retrying,
            [Held] = TaskStatus.Held,
            [Completed] = TaskStatus.Completed,
            [Failed] = TaskStatus.Failed,
            [Cancelled] = TaskStatus.Cancelled,
            [Folded] = TaskStatus.Paused,
        };

    /// <summary>The file with which the running task ends.</summary>
    public static string EndFile(string folder) => Path.Combine(folder, "running.end");

    /// <summary>A cluster of one node.</summary>
    /// <param name="maxFinished">How many tasks that have ended it keeps.</param>
    public static LocalCluster NewCluster(int maxFinished) =>
        new(
            1,
            Slots,
            "actortrainer.cluster.name=released",
            FormattableString.Invariant($"actortrainer.journal.keep-events={KeepEvents}"),
            FormattableString.Invariant($"actortrainer.journal.max-finished={maxFinished}")
        );

    /// <summary>Does it all, and kills the node.</summary>
    public static async Task PlayAsync(LocalCluster cluster)
    {
        await cluster.StartAsync();
        await cluster.Client.SubmitAsync(Specs.Shell(Archived, "true"));
        await WaitAsync(cluster, Archived, TaskStatus.Completed);
        ObservedTask running = await SubmitTrainingAsync(cluster, Running);
        await SaveAsync(cluster, running, 1);
        await SaveAsync(cluster, running, 2);
        await EndAsync(cluster);
        ObservedTask paused = await SubmitTrainingAsync(cluster, Paused);
        await SaveAsync(cluster, paused, 1);
        await cluster.Client.PauseAsync(Paused);
        await WaitAsync(cluster, Paused, TaskStatus.Paused);
        await paused.WaitAsync("a checkpoint by pause", t => t.Checkpoints.Any(c => c.Reason == "pause"));
        await cluster.Client.SubmitAsync(Specs.Shell(Waiting, "true") with { Slots = Slots, Priority = -1 });
        await FoldAsync(cluster);
        await cluster.WaitAsync("all is written", () => IsWrittenAsync(cluster), Limit);
        await cluster.Nodes[0].KillAsync();
    }

    private static async Task EndAsync(LocalCluster cluster)
    {
        await cluster.Client.SubmitAsync(
            Specs.Scripted(Completed, new() { Steps = Steps, Metric = "loss" }) with
            {
                Priority = 5,
                Checkpoint = WhenAsked,
            }
        );
        await WaitAsync(cluster, Completed, TaskStatus.Completed);
        await cluster.Client.SubmitAsync(Specs.Shell(Failed, "echo broken; exit 7"));
        await WaitAsync(cluster, Failed, TaskStatus.Failed);
        RetrySpec hold = new() { Rules = [new FailureRule("wants-a-person", FailureAction.Hold, 9, null, null)] };
        await cluster.Client.SubmitAsync(Specs.Shell(Held, "exit 9") with { Retry = hold });
        await WaitAsync(cluster, Held, TaskStatus.Held);
        RetrySpec late = new() { Backoff = Never, MaxBackoff = Never };
        await cluster.Client.SubmitAsync(Specs.Shell(Retrying, "exit 8") with { Retry = late });
        await WaitAsync(cluster, Retrying, TaskStatus.Retrying);
        await cluster.Client.SubmitAsync(Specs.Shell(Cancelled, "exec sleep 600"));
        await WaitAsync(cluster, Cancelled, TaskStatus.Running);
        await cluster.Client.CancelAsync(Cancelled);
        await WaitAsync(cluster, Cancelled, TaskStatus.Cancelled);
    }

    /// <summary>Lets a task that waits have as many events as make two snapshots.</summary>
    private static async Task FoldAsync(LocalCluster cluster)
    {
        await cluster.Client.SubmitAsync(Specs.Shell(Folded, "true") with { Slots = Slots, Priority = -2 });
        for (int i = 0; i <= 2 * TrainingTaskActor.SnapshotEvery; i++)
        {
            await (i % 2 == 0 ? cluster.Client.PauseAsync(Folded) : cluster.Client.ResumeAsync(Folded));
        }
    }

    private static async Task<ObservedTask> SubmitTrainingAsync(LocalCluster cluster, string name)
    {
        ObservedTask task = await ObservedTask.SubmitAsync(
            cluster,
            Specs.Scripted(name, new() { UntilFile = EndFile(cluster.Folder), Metric = "loss" }) with
            {
                Checkpoint = WhenAsked,
            }
        );
        await cluster.WaitAsync($"{name} trains", async () => (await cluster.Client.GetTaskAsync(name)).Task.Progress.Step > 0, Limit);
        return task;
    }

    private static async Task SaveAsync(LocalCluster cluster, ObservedTask task, int count)
    {
        await cluster.Client.SaveAsync(task.Name);
        await task.WaitAsync($"checkpoint {count}", t => t.Checkpoints.Count == count);
    }

    private static Task WaitAsync(LocalCluster cluster, string name, TaskStatus status) =>
        cluster.WaitAsync($"{name} is {status}", async () => (await cluster.Client.GetTaskAsync(name)).Task.Status == status, Limit);

    private static async Task<bool> IsWrittenAsync(LocalCluster cluster)
    {
        const string Written = """
            SELECT (SELECT COUNT(*) FROM actortrainer_snapshot) = 2
              AND (SELECT COUNT(*) FROM actortrainer_archive) = 1
              AND (SELECT COUNT(*) FROM actortrainer_metrics) = 3
              AND (SELECT MAX(deleted_to) FROM actortrainer_task) > 0
              AND NOT EXISTS (SELECT 1 FROM actortrainer_task t JOIN actortrainer_event e ON e.persistence_id LIKE '%-' || t.task
                WHERE e.sequence_number > t.sequence OR e.sequence_number <= t.deleted_to)
            """;
        JournalDatabase database = JournalDatabase.Of(new JournalModel { Path = cluster.JournalPath });
        return (await database.ReadAsync(session => session.QueryAsync(Written, r => r.GetInt64(0) != 0), CancellationToken.None))[0];
    }
}
