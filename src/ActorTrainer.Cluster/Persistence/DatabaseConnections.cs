using System.Data.Common;
using ActorTrainer.Core.Configuration;
using Akka.Persistence.Sql.Config;
using LinqToDB;
using LinqToDB.Interceptors;
using Microsoft.Data.Sqlite;
using Npgsql;
using SQLitePCL;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// How connections to the journal's database are made, ours and those of Akka.Persistence.Sql alike: every commit survives a power loss, a
/// writer that waits for another one waits briefly, and one that stands still in a transaction does not keep the others out.
/// </summary>
internal static class DatabaseConnections
{
    /// <summary>
    /// How long SQLite waits for another writer. Longer than any transaction of ours, shorter than Akka's limit for a write.
    /// </summary>
    private const int SqliteBusySeconds = 5;

    /// <summary>
    /// PostgreSQL ends the session of a writer that was stopped in the middle of a transaction, so that its locks do not block its
    /// successor, and statements that wait for such a lock. A commit is on disk before it is acknowledged, whatever the server's default
    /// is.
    /// </summary>
    private const string PostgreSqlOptions =
        "-c synchronous_commit=on -c idle_in_transaction_session_timeout=3000 -c lock_timeout=8000 -c statement_timeout=15000";

    /// <summary>Statements that a session keeps parsed: more than the product has.</summary>
    private const int PreparedStatements = 50;

    /// <summary>
    /// Sessions of a node. All of its tasks may be recovered at once; more sessions would make that no faster, and a server takes about a
    /// hundred by default.
    /// </summary>
    public const int Sessions = 16;

    private const string MaxAutoPrepare = "Max Auto Prepare";
    private const string MaxPoolSize = "Maximum Pool Size";
    private const string NoResetOnClose = "No Reset On Close";

    private static readonly DatabaseInterceptor Interceptor = new();

    /// <summary>The connection string of a configuration, with what ActorTrainer adds.</summary>
    public static string ConnectionString(JournalModel model)
    {
        if (model.PostgreSql is not { } text)
        {
            // The provider tries a statement that found the database busy again until this time is over, each time with SQLite's own wait.
            SqliteConnectionStringBuilder file = OfFile(model.Path);
            file.DefaultTimeout = SqliteBusySeconds;
            return file.ConnectionString;
        }

        NpgsqlConnectionStringBuilder builder = new(text);

        // The user's own settings stand behind ours, so they win.
        builder.Options = string.IsNullOrEmpty(builder.Options) ? PostgreSqlOptions : $"{PostgreSqlOptions} {builder.Options}";
        ICollection<string> said = builder.Keys;
        if (!said.Contains(MaxAutoPrepare))
        {
            builder.MaxAutoPrepare = PreparedStatements;
        }

        if (!said.Contains(MaxPoolSize))
        {
            builder.MaxPoolSize = Math.Max(builder.MinPoolSize, Sessions);
        }

        if (!said.Contains(NoResetOnClose))
        {
            // What goes back into the pool has no state of its own: the one lock of a session is held on a connection outside of it.
            builder.NoResetOnClose = true;
        }

        return builder.ConnectionString;
    }

    /// <summary>The connection string of an SQLite file as a user writes it.</summary>
    public static SqliteConnectionStringBuilder OfFile(string path) => new() { DataSource = path };

    /// <summary>What a connection that has just been opened needs.</summary>
    public static void Prepare(DbConnection connection)
    {
        if (connection is SqliteConnection sqlite)
        {
            // Without it the provider polls every 150 ms on the caller's thread.
            raw.sqlite3_busy_timeout(sqlite.Handle, SqliteBusySeconds * 1_000);
            raw.sqlite3_exec(sqlite.Handle, "PRAGMA synchronous = FULL");
        }
    }

    /// <summary>Makes the connections of Akka.Persistence.Sql the same way; part of an actor system's setup.</summary>
    /// <remarks>Akka.Persistence.Sql asks the options for the provider's name: so they are made with it.</remarks>
    public static DataOptionsSetup ForAkka(JournalDatabase database) =>
        new(
            new DataOptions()
                .UseConnectionString(database.IsSqlite ? ProviderName.SQLiteMS : ProviderName.PostgreSQL15, database.ConnectionString)
                .UseInterceptor(Interceptor)
        );

    private sealed class DatabaseInterceptor : ConnectionInterceptor
    {
        public override void ConnectionOpened(ConnectionEventData eventData, DbConnection connection) => Prepare(connection);

        public override Task ConnectionOpenedAsync(
            ConnectionEventData eventData,
            DbConnection connection,
            CancellationToken cancellationToken
        )
        {
            Prepare(connection);
            return Task.CompletedTask;
        }
    }
}
