using System.Data.Common;
using System.Globalization;
using ActorTrainer.Testing.Processes;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ActorTrainer.Bench.Common;

/// <summary>What clusters of a bench have their journals in: SQLite files, or a PostgreSQL server that lives as long as this.</summary>
internal sealed class BenchDatabase : IAsyncDisposable
{
    public const string Sqlite = "sqlite";
    public const string PostgreSql = "postgresql";

    private BenchDatabase(string name, PostgreSqlInstance? server) => (Name, Server) = (name, server);

    /// <summary>Its name as the options have it.</summary>
    public string Name { get; }

    /// <summary>The server; null with SQLite.</summary>
    public PostgreSqlInstance? Server { get; }

    public static async Task<BenchDatabase> CreateAsync(string name) =>
        new(name, name == PostgreSql ? await PostgreSqlInstance.CreateAsync() : null);

    /// <summary>
    /// When a new connection to a cluster's database has written a commit to the disk: PostgreSQL's <c>synchronous_commit</c>, SQLite's
    /// <c>PRAGMA synchronous</c> (0 off, 1 normal, 2 full, 3 extra).
    /// </summary>
    public static async Task<string> SynchronousAsync(LocalCluster cluster)
    {
        bool sqlite = cluster.PostgreSql is null;
        await using DbConnection connection = sqlite
            ? new SqliteConnection($"Data Source={cluster.JournalPath};Mode=ReadWrite;Pooling=False")
            : new NpgsqlConnection(cluster.PostgreSql);
        await connection.OpenAsync();
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = sqlite ? "PRAGMA synchronous" : "SHOW synchronous_commit";
        return Convert.ToString(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture) ?? "";
    }

    public ValueTask DisposeAsync() => Server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
