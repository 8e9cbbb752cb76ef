using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;
using Npgsql;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>
/// The journal's database answers, and takes no writes or takes them slowly: its disk is full, it is read-only, or each write takes two
/// seconds. The worker is told to end while that lasts, so a task that ends rightly in its first run has trained on.
/// </summary>
[Trait("Lane", "Slow")]
public sealed class JournalDatabaseTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task JournalDisk_Full_TrainingGoesOnToItsEndAndNothingIsLost()
    {
        string folder = Directory.CreateTempSubdirectory("actortrainer-disk-").FullName;
        using SmallDisk? disk = SmallDisk.TryMount(folder, "24m");
        Assert.SkipWhen(disk is null, "a full disk is made by mounting one, which this user may not");
        await using LocalCluster cluster = new(nodes: 2, settings: [$"actortrainer.journal.path={folder}/journal.db"]);
        await cluster.StartAsync();
        ObservedTask task = await TrainAsync(cluster);

        disk.Fill();
        await TrainingEndsAsync(cluster);
        disk.Free();

        await ShouldHaveEndedRightlyAsync(task);
    }

    [Fact]
    [Trait("Requires", "postgresql")]
    public async Task Database_ReadOnly_TrainingGoesOnToItsEndAndNothingIsLost()
    {
        await using PostgreSqlInstance server = await PostgreSqlInstance.CreateAsync();
        await using LocalCluster cluster = new(nodes: 2) { Server = server };
        await cluster.StartAsync();
        ObservedTask task = await TrainAsync(cluster);

        await RunAsync(cluster, "ALTER SYSTEM SET default_transaction_read_only = on");
        await RunAsync(cluster, "SELECT pg_reload_conf()");
        await TrainingEndsAsync(cluster);
        await RunAsync(cluster, "ALTER SYSTEM RESET default_transaction_read_only");
        await RunAsync(cluster, "SELECT pg_reload_conf()");

        await ShouldHaveEndedRightlyAsync(task);
    }

    [Fact]
    [Trait("Requires", "postgresql")]
    public async Task Database_TwoSecondsForEachWrite_TrainingGoesOnAndIsCommitted()
    {
        await using PostgreSqlInstance server = await PostgreSqlInstance.CreateAsync();
        await using LocalCluster cluster = new(nodes: 2) { Server = server };
        await cluster.StartAsync();
        ObservedTask task = await TrainAsync(cluster);
        int saved = task.Checkpoints.Count;

        await RunAsync(
            cluster,
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$"
        );
        await RunAsync(cluster, "CREATE TRIGGER slow BEFORE INSERT ON actortrainer_event FOR EACH STATEMENT EXECUTE FUNCTION slow()");
        await task.WaitAsync("three more checkpoints are committed", t => t.Checkpoints.Count >= saved + 3);
        await File.WriteAllTextAsync(EndOf(cluster), "");

        await ShouldHaveEndedRightlyAsync(task);
        task.Events.OfType<TaskAdopted>().ShouldBeEmpty("slow is not away");
    }

    private static async Task<ObservedTask> TrainAsync(LocalCluster cluster)
    {
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("trains-on", new() { UntilFile = EndOf(cluster) }));
        await task.WaitForCheckpointAsync();
        return task;
    }

    /// <summary>Waits until a write has failed, and lets the training come to its end meanwhile.</summary>
    private static async Task TrainingEndsAsync(LocalCluster cluster)
    {
        await cluster.WaitAsync(
            "a write has failed and the run is parked",
            () => Task.FromResult(cluster.Logs(lines: 200).Contains("was not taken by the journal", StringComparison.Ordinal)),
            Limit
        );
        await File.WriteAllTextAsync(EndOf(cluster), "");
        await cluster.WaitAsync("the training is at its end", () => Task.FromResult(File.Exists(EndOf(cluster) + ".seen")), Limit);
    }

    private static async Task ShouldHaveEndedRightlyAsync(ObservedTask task)
    {
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Starts.Count.ShouldBe(1, task.ToString());
        task.ShouldHaveTheResultsOfOneRun();
        await task.ShouldHaveLostNothingAsync();
    }

    private static string EndOf(LocalCluster cluster) => Path.Combine(cluster.Folder, "end");

    /// <summary>By a session that may write whatever the server's default is.</summary>
    private static async Task RunAsync(LocalCluster cluster, string sql)
    {
        await using NpgsqlConnection connection = new(cluster.PostgreSql + ";Pooling=false;Options=-c default_transaction_read_only=off");
        await connection.OpenAsync();
        await using NpgsqlCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A constant of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
