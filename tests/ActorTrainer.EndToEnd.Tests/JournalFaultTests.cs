using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using Microsoft.Data.Sqlite;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class JournalFaultTests
{
    private const int Steps = 1200;

    [Fact]
    public async Task JournalLock_HeldByAnotherProgram_TrainingGoesOnAndNothingIsLost()
    {
        await using LocalCluster cluster = new(nodes: 2);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("locked", new() { Steps = Steps }));
        await task.WaitForCheckpointAsync();
        long[] lives = await LivesAsync(cluster);

        // The node that runs it knows how far it is; others know what is on record.
        using ActorTrainerClient its = LocalCluster.ClientOf(task.Starts[^1].Node);
        long before = (await its.GetTaskAsync("locked")).Task.Progress.Step;

        long during = 0;
        await WhileLockedAsync(
            cluster.JournalPath,
            async () =>
            {
                await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System);
                during = (await its.GetTaskAsync("locked")).Task.Progress.Step;
            }
        );

        during.ShouldBeGreaterThan(before);
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Starts.Count.ShouldBe(1, task.ToString());
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
        await task.ShouldHaveLostNothingAsync();
        (await LivesAsync(cluster)).ShouldBe(lives);
    }

    /// <summary>
    /// What the next owner writes first fails, and who is lost cannot be written either: nobody may take that for the task's last word.
    /// </summary>
    [Fact]
    public async Task JournalLock_HeldWhileANodeIsLost_ItsTaskGoesOnElsewhere()
    {
        await using LocalCluster cluster = new(nodes: 3);
        await cluster.StartAsync();
        (ObservedTask task, LocalNode lost) = await TrainAsync(cluster);
        using ActorTrainerClient others = cluster.ClientOf(cluster.Nodes.Except([lost]));

        await WhileLockedAsync(
            cluster.JournalPath,
            () =>
            {
                lost.Signal(Signals.Stop);
                return Task.Delay(TimeSpan.FromSeconds(12), TimeProvider.System);
            }
        );

        TaskStarted next = await task.WaitForStartAsync(1, others);
        next.Node.ShouldNotBe(lost.Address);
        await File.WriteAllTextAsync(EndOf(cluster), "");
        await cluster.WaitAsync(
            "it is completed",
            async () => (await others.GetTaskAsync("locked")).Task.Finished,
            TimeSpan.FromSeconds(60)
        );
        await task.LookAsync(others);
        task.ShouldHaveTheResultsOfOneRun();
        await task.ShouldHaveLostNothingAsync();
    }

    /// <summary>Neither can write down what it wants; both do it as soon as the journal takes it, and long before their limits.</summary>
    [Fact]
    public async Task JournalLock_HeldWhileOneNodeIsDrainedAndAnotherStarts_BothGoOnWhenItIsFree()
    {
        await using LocalCluster cluster = new(nodes: 3);
        LocalNode late = cluster.Nodes[2];
        cluster.Nodes[0].Start();
        cluster.Nodes[1].Start();
        await cluster.WaitForNodesAsync();
        (ObservedTask task, LocalNode drained) = await TrainAsync(cluster);
        using ActorTrainerClient others = cluster.ClientOf(cluster.Nodes.Except([drained]));
        Task drain = Task.CompletedTask;

        await WhileLockedAsync(
            cluster.JournalPath,
            () =>
            {
                late.Start();
                drain = cluster.Client.DrainAsync(drained.Address.ToString());
                return Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System);
            }
        );

        await cluster.WaitAsync(
            "the task has moved",
            async () =>
            {
                await task.LookAsync(others);
                return task.Starts.Count > 1;
            },
            TimeSpan.FromSeconds(40)
        );
        task.Starts[1].Node.ShouldNotBe(drained.Address);
        await drain;
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        (await drained.WaitForExitAsync(limit.Token)).ShouldBe(0, cluster.Logs());
        await cluster.WaitForNodesAsync();
        await File.WriteAllTextAsync(EndOf(cluster), "");
        await task.WaitForEndAsync(TaskStatus.Completed);
        await task.ShouldHaveLostNothingAsync();
    }

    /// <summary>A task that trains until its file is there and has saved, and the node that it trains on.</summary>
    private static async Task<(ObservedTask Task, LocalNode Node)> TrainAsync(LocalCluster cluster)
    {
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("locked", new() { UntilFile = EndOf(cluster) }));
        await task.WaitForCheckpointAsync();
        return (task, cluster.Nodes.Single(n => n.Address == task.Starts[^1].Node));
    }

    private static string EndOf(LocalCluster cluster) => Path.Combine(cluster.Folder, "end");

    /// <summary>Does something while nobody else can use the database.</summary>
    private static async Task WhileLockedAsync(string path, Func<Task> act)
    {
        await using SqliteConnection connection = new($"Data Source={path};Mode=ReadWrite;Pooling=False;Default Timeout=30");
        await connection.OpenAsync();
        await RunAsync(connection, "BEGIN EXCLUSIVE");
        await act();
        await RunAsync(connection, "ROLLBACK");
    }

    private static async Task RunAsync(SqliteConnection connection, string sql)
    {
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long[]> LivesAsync(LocalCluster cluster)
    {
        ClusterStatus status = await cluster.Client.GetClusterAsync();
        return [.. status.Members.Where(m => m.Reachable).Select(m => m.Incarnation).Order()];
    }
}
