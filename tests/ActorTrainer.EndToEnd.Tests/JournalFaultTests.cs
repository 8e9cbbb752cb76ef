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

        long during = await WhileLockedAsync(cluster.JournalPath, async () => (await its.GetTaskAsync("locked")).Task.Progress.Step);

        during.ShouldBeGreaterThan(before);
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Starts.Count.ShouldBe(1, task.ToString());
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
        await task.ShouldHaveLostNothingAsync();
        (await LivesAsync(cluster)).ShouldBe(lives);
    }

    /// <summary>Looks at something at the end of a time in which nobody else can use the database.</summary>
    private static async Task<T> WhileLockedAsync<T>(string path, Func<Task<T>> look)
    {
        await using SqliteConnection connection = new($"Data Source={path};Mode=ReadWrite;Pooling=False;Default Timeout=30");
        await connection.OpenAsync();
        await RunAsync(connection, "BEGIN EXCLUSIVE");
        await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System);
        T seen = await look();
        await RunAsync(connection, "ROLLBACK");
        return seen;
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
