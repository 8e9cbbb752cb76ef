using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Testing.Processes;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Cluster.Tests.Members;

/// <summary>Real nodes that found, join, fall silent and come back, seen through the API of each.</summary>
[Trait("Lane", "Slow")]
public sealed class ClusterFaultTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_TwoNodesWithoutSeedsAtOnce_FormOneCluster()
    {
        await using LocalCluster cluster = New(2);

        await cluster.StartAsync();

        await ShouldSeeEachOtherAsync(cluster, [1, 2]);
        Number(cluster, "SELECT epoch FROM actortrainer_cluster").ShouldBe(1, "one of them has founded, once");
    }

    [Fact]
    public async Task Start_ANode_IsUpOnceItHasRehearsed()
    {
        await using LocalCluster cluster = New(1);

        await cluster.StartAsync();

        Number(cluster, "SELECT seq FROM sqlite_sequence WHERE name = 'actortrainer_event'").ShouldBeGreaterThan(0, "a task was rehearsed");
        Number(cluster, "SELECT count(*) FROM actortrainer_event")
            .ShouldBe(0, "and what it journaled was removed, before the node can be given a task");
    }

    [Fact]
    public async Task Kill_AllOfThreeNodes_AnyTwoBringTheClusterBack()
    {
        await using LocalCluster cluster = New(3);
        await cluster.StartAsync();
        foreach (LocalNode node in cluster.Nodes)
        {
            await node.KillAsync();
        }

        cluster.Nodes[1].Start();
        cluster.Nodes[2].Start();

        await ShouldSeeEachOtherAsync(cluster, [2, 3]);
        Number(cluster, "SELECT epoch FROM actortrainer_cluster").ShouldBe(2, cluster.Logs());
        cluster.Nodes[0].Start();
        await ShouldSeeEachOtherAsync(cluster, [1, 2, 3]);
    }

    [Fact]
    public async Task Stop_OneNodeWhileTheJournalIsLocked_CostsNobodyElse()
    {
        await using LocalCluster cluster = New(3);
        await cluster.StartAsync();
        long[] lives = [await LifeAsync(cluster, 1), await LifeAsync(cluster, 2)];
        using (SqliteConnection locked = new($"Data Source={cluster.JournalPath};Pooling=False"))
        {
            locked.Open();
            Run(locked, "BEGIN EXCLUSIVE");
            await cluster.FreezeAsync(cluster.Nodes[2]);
            await ShouldSeeDownAsync(cluster, by: 1, node: 3);
            await ShouldSeeDownAsync(cluster, by: 2, node: 3);
            await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System); // what must not happen has had the time to

            await ShouldSeeEachOtherAsync(cluster, [1, 2]);
            Run(locked, "ROLLBACK");
        }

        (await LifeAsync(cluster, 1), await LifeAsync(cluster, 2)).ShouldBe(
            (lives[0], lives[1]),
            $"no healthy node has begun another life\n{cluster.Logs()}"
        );
        await cluster.WaitAsync("it is recorded when the journal answers", () => Task.FromResult(StatusOf(cluster, 3) == "Down"), Limit);
        cluster.Nodes[2].Signal(Signals.Continue);
        await ShouldSeeEachOtherAsync(cluster, [1, 2, 3]);
    }

    [Fact]
    public async Task Stop_TwoOfThreeNodesFiveSecondsApart_TheSurvivorGoesOn()
    {
        await using LocalCluster cluster = New(3);
        await cluster.StartAsync();
        long survivor = await LifeAsync(cluster, 1);
        await cluster.FreezeAsync(cluster.Nodes[2]);
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System); // the fault itself: not at the same time

        await cluster.FreezeAsync(cluster.Nodes[1]);

        await ShouldSeeDownAsync(cluster, by: 1, node: 2);
        await ShouldSeeDownAsync(cluster, by: 1, node: 3);
        cluster.Nodes[1].Signal(Signals.Continue);
        cluster.Nodes[2].Signal(Signals.Continue);
        await ShouldSeeEachOtherAsync(cluster, [1, 2, 3]);
        (await LifeAsync(cluster, 1)).ShouldBe(survivor, cluster.Logs());
        Number(cluster, "SELECT epoch FROM actortrainer_cluster").ShouldBe(1);
    }

    [Fact]
    public async Task Stop_TwoOfThreeNodesAtOnce_TheSurvivorGoesOn()
    {
        await using LocalCluster cluster = New(3);
        await cluster.StartAsync();
        long survivor = await LifeAsync(cluster, 1);

        await cluster.FreezeAsync(cluster.Nodes[1]);
        await cluster.FreezeAsync(cluster.Nodes[2]);

        await ShouldSeeDownAsync(cluster, by: 1, node: 2);
        await ShouldSeeDownAsync(cluster, by: 1, node: 3);
        cluster.Nodes[1].Signal(Signals.Continue);
        cluster.Nodes[2].Signal(Signals.Continue);
        await ShouldSeeEachOtherAsync(cluster, [1, 2, 3]);
        (await LifeAsync(cluster, 1)).ShouldBe(survivor, cluster.Logs());
    }

    [Fact]
    public async Task Stop_OneNodeForThreeSeconds_ItAloneBeginsAnotherLife()
    {
        await using LocalCluster cluster = New(3);
        await cluster.StartAsync();
        long[] lives = [await LifeAsync(cluster, 1), await LifeAsync(cluster, 2)];
        long stopped = await LifeAsync(cluster, 3);

        await cluster.FreezeAsync(cluster.Nodes[2]);
        await ShouldSeeDownAsync(cluster, by: 1, node: 3);
        cluster.Nodes[2].Signal(Signals.Continue);

        await cluster.WaitAsync("it begins another life", async () => await LifeAsync(cluster, 3) > stopped, Limit);
        await ShouldSeeEachOtherAsync(cluster, [1, 2, 3]);
        (await LifeAsync(cluster, 1), await LifeAsync(cluster, 2)).ShouldBe((lives[0], lives[1]), cluster.Logs());
    }

    [Fact]
    public async Task Kill_OneNodeAndStartItAgain_IsBackAndNobodyElseNoticesMore()
    {
        await using LocalCluster cluster = New(3);
        await cluster.StartAsync();
        long[] lives = [await LifeAsync(cluster, 2), await LifeAsync(cluster, 3)];

        for (int i = 0; i < 3; i++)
        {
            await cluster.Nodes[0].KillAsync();
            cluster.Nodes[0].Start();
            await ShouldSeeEachOtherAsync(cluster, [1, 2, 3]);
        }

        (await LifeAsync(cluster, 2), await LifeAsync(cluster, 3)).ShouldBe((lives[0], lives[1]), cluster.Logs());
        Number(cluster, "SELECT epoch FROM actortrainer_cluster").ShouldBe(1);
    }

    private static LocalCluster New(int nodes) => new(nodes, slots: 1) { Seeds = false };

    private static async Task<ClusterStatus> AskAsync(LocalCluster cluster, int node)
    {
        using ActorTrainerClient client = LocalCluster.ClientOf(cluster.Nodes[node - 1].Address);
        return await client.GetClusterAsync();
    }

    /// <summary>The number of the life that a node says it has; 0 between two lives.</summary>
    private static async Task<long> LifeAsync(LocalCluster cluster, int node) =>
        (await AskAsync(cluster, node))
            .Members.Where(m => m.Address == cluster.Nodes[node - 1].Address)
            .Select(m => m.Incarnation)
            .DefaultIfEmpty(0)
            .Max();

    private static async Task ShouldSeeEachOtherAsync(LocalCluster cluster, int[] nodes)
    {
        foreach (int by in nodes)
        {
            await cluster.WaitAsync(
                $"node {by} sees all of {string.Join(", ", nodes)} up and nobody else",
                async () =>
                    (await AskAsync(cluster, by))
                        .Members.Where(m =>
                            m.State is not (MemberState.Down or MemberState.Removed) && m.Reachable && m.State == MemberState.Up
                        )
                        .Select(m => m.Address)
                        .Order()
                        .SequenceEqual(nodes.Select(n => cluster.Nodes[n - 1].Address).Order()),
                Limit
            );
        }
    }

    private static Task ShouldSeeDownAsync(LocalCluster cluster, int by, int node) =>
        cluster.WaitAsync(
            $"node {by} sees node {node} down",
            async () =>
                (await AskAsync(cluster, by))
                    .Members.Where(m => m.Address == cluster.Nodes[node - 1].Address)
                    .All(m => m.State == MemberState.Down),
            Limit
        );

    private static string StatusOf(LocalCluster cluster, int node)
    {
        using SqliteConnection connection = new($"Data Source={cluster.JournalPath};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT status FROM actortrainer_member WHERE address = @a ORDER BY incarnation DESC LIMIT 1";
        command.Parameters.AddWithValue("@a", cluster.Nodes[node - 1].Address.ToString());
        return (string)command.ExecuteScalar()!;
    }

    private static long Number(LocalCluster cluster, string sql)
    {
        using SqliteConnection connection = new($"Data Source={cluster.JournalPath};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A constant of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        return (long)command.ExecuteScalar()!;
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A constant of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
