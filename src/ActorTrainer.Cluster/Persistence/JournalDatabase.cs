using System.Data.Common;
using ActorTrainer.Core.Configuration;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// The database that Akka's journal is in, for the tables of the product's own: members, names, the tasks' rows. SQLite's provider is
/// synchronous, so its work runs on the thread pool and never on the caller's thread, which may be an actor's.
/// </summary>
internal sealed class JournalDatabase
{
    /// <summary>
    /// One writer of this process at a time: SQLite lets only one in anyway, and waiting here costs no polling of its lock.
    /// </summary>
    private readonly SemaphoreSlim _sqliteWriter = new(1, 1);

    private JournalDatabase(string connectionString, string name, bool isSqlite)
    {
        ConnectionString = connectionString;
        Name = name;
        IsSqlite = isSqlite;
    }

    public string ConnectionString { get; }

    /// <summary>What messages call it: the file, or the database without its password.</summary>
    public string Name { get; }

    public bool IsSqlite { get; }

    /// <summary>The database of a node's configuration.</summary>
    public static JournalDatabase Of(JournalModel model)
    {
        string connectionString = DatabaseConnections.ConnectionString(model);
        if (model.PostgreSql is null)
        {
            SQLitePCL.Batteries_V2.Init();
            return new JournalDatabase(connectionString, model.Path, isSqlite: true);
        }

        NpgsqlConnectionStringBuilder builder = new(connectionString);
        return new JournalDatabase(connectionString, $"PostgreSQL {builder.Host}:{builder.Port}/{builder.Database}", isSqlite: false);
    }

    /// <summary>Does work in one transaction.</summary>
    public Task<T> WriteAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken) =>
        AsWriterAsync(() => TransactAsync(work, cancellationToken), cancellationToken);

    /// <summary>
    /// Runs statements in one transaction of theirs alone: where the database is another process, in one round trip. None: does nothing.
    /// </summary>
    public Task<int> WriteAsync(IReadOnlyList<Statement> statements, CancellationToken cancellationToken)
    {
        // What PostgreSQL gets in one message is one transaction.
        return statements.Count == 0
            ? Task.FromResult(0)
            : AsWriterAsync(
                () => IsSqlite && statements.Count > 1 ? TransactAsync(Run, cancellationToken) : QueryAsync(Run, cancellationToken),
                cancellationToken
            );

        Task<int> Run(Session session) => session.RunAllAsync(statements);
    }

    /// <summary>Runs queries on one connection.</summary>
    public Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken) =>
        IsSqlite ? Task.Run(() => QueryAsync(work, cancellationToken), cancellationToken) : QueryAsync(work, cancellationToken);

    private async Task<T> AsWriterAsync<T>(Func<Task<T>> write, CancellationToken cancellationToken)
    {
        if (!IsSqlite)
        {
            return await write();
        }

        await _sqliteWriter.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(write, cancellationToken);
        }
        finally
        {
            _sqliteWriter.Release();
        }
    }

    private async Task<T> TransactAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken)
    {
        await using DbConnection connection = await OpenAsync(cancellationToken);
        await using DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        T result = await work(new Session(connection, transaction, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    private async Task<T> QueryAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken)
    {
        await using DbConnection connection = await OpenAsync(cancellationToken);
        return await work(new Session(connection, null, cancellationToken));
    }

    private async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        DbConnection connection = IsSqlite ? new SqliteConnection(ConnectionString) : new NpgsqlConnection(ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            DatabaseConnections.Prepare(connection);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
