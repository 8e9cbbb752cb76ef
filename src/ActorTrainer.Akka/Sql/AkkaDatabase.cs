using System.Data.Common;
using ActorTrainer.Core.Configuration;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ActorTrainer.Akka.Sql;

/// <summary>The database that Akka's journal is in, for the tables of the engine's own: members, names, read models, the lease.</summary>
internal sealed class AkkaDatabase
{
    private AkkaDatabase(string connectionString, string name, bool isSqlite)
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
    public static AkkaDatabase Of(JournalModel model)
    {
        if (model.PostgreSql is not { } connectionString)
        {
            SQLitePCL.Batteries_V2.Init();
            return new AkkaDatabase(new SqliteConnectionStringBuilder { DataSource = model.Path }.ConnectionString, model.Path, isSqlite: true);
        }

        NpgsqlConnectionStringBuilder builder = new(connectionString);
        return new AkkaDatabase(connectionString, $"PostgreSQL {builder.Host}:{builder.Port}/{builder.Database}", isSqlite: false);
    }

    /// <summary>Runs statements in one transaction.</summary>
    public async Task<T> WriteAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken)
    {
        await using DbConnection connection = await OpenAsync(cancellationToken);
        await using DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        T result = await work(new Session(connection, transaction, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    /// <summary>Runs queries on one connection.</summary>
    public async Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken)
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
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <summary>One connection in use. Parameters are <c>@a</c>, <c>@b</c> … in the order given.</summary>
internal sealed class Session(DbConnection connection, DbTransaction? transaction, CancellationToken cancellationToken)
{
    /// <summary>Runs a statement; how many rows it changed.</summary>
    public async Task<int> RunAsync(string sql, params object?[] values)
    {
        await using DbCommand command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Reads rows.</summary>
    public async Task<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, params object?[] values)
    {
        await using DbCommand command = Command(sql, values);
        await using DbDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private DbCommand Command(string sql, object?[] values)
    {
        DbCommand command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Statements are constants of this assembly; values are parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        for (int i = 0; i < values.Length; i++)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = "@" + (char)('a' + i);
            parameter.Value = values[i] ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
