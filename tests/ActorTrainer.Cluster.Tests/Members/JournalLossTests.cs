using ActorTrainer.Client;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using Npgsql;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Members;

/// <summary>Real nodes of which one alone reaches PostgreSQL through a port that is closed, or all of which lose it.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
[Trait("Lane", "Slow")]
public sealed class JournalLossTests(PostgreSqlServer server)
{
    private const string SoonGivenUp = "actortrainer.sharding.journal-unreachable-after=3s";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Journal_LostByOneNodeAlone_ItsTasksGoOnElsewhereAndItComesBack()
    {
        await using LocalCluster cluster = new(3, slots: 2, SoonGivenUp) { Server = server.Instance };
        NpgsqlConnectionStringBuilder database = new(cluster.PostgreSql);
        using TcpForwarder forwarder = new(database.Port);
        database.Port = forwarder.Port;
        cluster.SettingOf[3] = $"actortrainer.journal.postgresql={database.ConnectionString}";
        await cluster.StartAsync();
        ObservedTask task = await TrainOnAsync(cluster, cluster.Nodes[2]);
        long life = await LifeAsync(cluster, 3);
        long committed = task.CommittedStep;
        int starts = task.Starts.Count;
        using ActorTrainerClient others = LocalCluster.ClientOf(cluster.Nodes[0].Address, cluster.Nodes[1].Address);

        forwarder.Close();

        TaskStarted next = await task.WaitForStartAsync(starts, others);
        next.Node.ShouldNotBe(cluster.Nodes[2].Address);
        next.RestoredStep.ShouldBeGreaterThanOrEqualTo(committed, task.ToString());
        forwarder.Open();
        await cluster.WaitAsync("node 3 is back in another life", async () => await LifeAsync(cluster, 3) > life, Limit);
        await cluster.WaitForNodesAsync();
        await CompleteAsync(cluster, task);
    }

    [Fact]
    public async Task Journal_LostByAllNodes_NobodyGivesUp()
    {
        await using PostgreSqlInstance own = await PostgreSqlInstance.CreateAsync();
        await using LocalCluster cluster = new(2, slots: 2, SoonGivenUp) { Server = own };
        await cluster.StartAsync();
        ObservedTask task = await TrainOnAsync(cluster, cluster.Nodes[1]);
        long[] lives = [await LifeAsync(cluster, 1), await LifeAsync(cluster, 2)];
        int starts = task.Starts.Count;

        await own.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(12), TimeProvider.System); // what must not happen has had the time to
        await own.StartAsync();

        int saved = task.Checkpoints.Count;
        await task.WaitAsync("it is saved again", t => t.Checkpoints.Count > saved);
        task.Starts.Count.ShouldBe(starts, task.ToString());
        (await LifeAsync(cluster, 1), await LifeAsync(cluster, 2)).ShouldBe((lives[0], lives[1]), cluster.Logs());
        await CompleteAsync(cluster, task);
    }

    private static async Task<ObservedTask> TrainOnAsync(LocalCluster cluster, LocalNode node)
    {
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("alone", new() { UntilFile = EndOf(cluster) }));
        TaskStarted first = await task.WaitForStartAsync(0);
        if (first.Node != node.Address)
        {
            await cluster.Client.MigrateAsync(task.Name, node.Address.ToString());
            (await task.WaitForStartAsync(1)).Node.ShouldBe(node.Address);
        }

        await task.WaitForCheckpointAsync();
        return task;
    }

    private static async Task CompleteAsync(LocalCluster cluster, ObservedTask task)
    {
        await File.WriteAllTextAsync(EndOf(cluster), "");
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.ShouldHaveTheResultsOfOneRun();
        await task.ShouldHaveLostNothingAsync();
    }

    private static string EndOf(LocalCluster cluster) => Path.Combine(cluster.Folder, "end");

    private static async Task<long> LifeAsync(LocalCluster cluster, int node)
    {
        using ActorTrainerClient client = LocalCluster.ClientOf(cluster.Nodes[node - 1].Address);
        return (await client.GetClusterAsync())
            .Members.Where(m => m.Address == cluster.Nodes[node - 1].Address && m.State == MemberState.Up)
            .Select(m => m.Incarnation)
            .DefaultIfEmpty(0)
            .Max();
    }
}
