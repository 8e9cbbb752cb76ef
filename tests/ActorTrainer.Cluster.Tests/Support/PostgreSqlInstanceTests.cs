using ActorTrainer.Testing.Processes;
using Npgsql;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>The faults of a server of its own, since they reach everyone who uses it.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlInstanceTests
{
    [Fact]
    public async Task Faults_EachInTurn_TakeTheServerAwayAndBringItBackWithWhatWasCommitted()
    {
        await using PostgreSqlInstance server = await PostgreSqlInstance.CreateAsync();
        string database = server.NewDatabase();
        await RunAsync(database, "CREATE TABLE kept AS SELECT 1 AS n");
        int before = server.Pid;
        before.ShouldNotBe(0);

        server.Freeze();
        await Should.ThrowAsync<NpgsqlException>(() =>
            RunAsync(database + ";Timeout=2;Command Timeout=2;Cancellation Timeout=-1", "SELECT n FROM kept")
        );
        server.Thaw();
        (await RunAsync(database, "SELECT n FROM kept")).ShouldBe(1);

        await server.StopAsync();
        server.Pid.ShouldBe(0);
        await Should.ThrowAsync<NpgsqlException>(() => RunAsync(database, "SELECT n FROM kept"));
        await server.StartAsync();
        (await RunAsync(database, "SELECT n FROM kept")).ShouldBe(1);

        await server.RestartAsync();
        server.Pid.ShouldNotBe(before);
        (await RunAsync(database, "SELECT n FROM kept")).ShouldBe(1);
        server.NewDatabase().ShouldNotBe(database);
    }

    private static async Task<object?> RunAsync(string database, string sql)
    {
        await using NpgsqlConnection connection = new(database);
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
