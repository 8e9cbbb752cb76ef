using System.Data.Common;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>A statement with the values of its parameters, <c>@a</c>, <c>@b</c> … in their order.</summary>
internal sealed record Statement(string Sql, params object?[] Values);

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
        return await RowsAsync(reader, read);
    }

    /// <summary>
    /// Runs statements in their order, in one round trip where the database is another process; how many rows they changed.
    /// </summary>
    public async Task<int> RunAllAsync(IReadOnlyList<Statement> statements)
    {
        if (statements.Count > 1 && connection.CanCreateBatch)
        {
            await using DbBatch batch = Batch(statements);
            return await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        int changed = 0;
        foreach (Statement statement in statements)
        {
            changed += await RunAsync(statement.Sql, statement.Values);
        }

        return changed;
    }

    /// <summary>
    /// Runs statements as <see cref="RunAllAsync"/> does and reads what each of them gives: each is a query, or has a RETURNING.
    /// </summary>
    public async Task<List<List<T>>> QueryAllAsync<T>(IReadOnlyList<Statement> statements, Func<DbDataReader, T> read)
    {
        List<List<T>> all = new(statements.Count);
        if (statements.Count == 0)
        {
            return all;
        }

        if (!connection.CanCreateBatch)
        {
            foreach (Statement statement in statements)
            {
                all.Add(await QueryAsync(statement.Sql, read, statement.Values));
            }

            return all;
        }

        await using DbBatch batch = Batch(statements);
        await using DbDataReader reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            all.Add(await RowsAsync(reader, read));
        } while (await reader.NextResultAsync(cancellationToken));

        return all;
    }

    private async Task<List<T>> RowsAsync<T>(DbDataReader reader, Func<DbDataReader, T> read)
    {
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private DbBatch Batch(IReadOnlyList<Statement> statements)
    {
        DbBatch batch = connection.CreateBatch();
        batch.Transaction = transaction;
        foreach (Statement statement in statements)
        {
            DbBatchCommand command = batch.CreateBatchCommand();
#pragma warning disable CA2100 // Statements are constants of this assembly; values are parameters.
            command.CommandText = statement.Sql;
#pragma warning restore CA2100
            AddParameters(command.Parameters, command.CreateParameter, statement.Values);
            batch.BatchCommands.Add(command);
        }

        return batch;
    }

    private DbCommand Command(string sql, object?[] values)
    {
        DbCommand command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Statements are constants of this assembly; values are parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        AddParameters(command.Parameters, command.CreateParameter, values);
        return command;
    }

    private static void AddParameters(DbParameterCollection parameters, Func<DbParameter> create, object?[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            DbParameter parameter = create();
            parameter.ParameterName = "@" + (char)('a' + i);
            parameter.Value = values[i] ?? DBNull.Value;
            parameters.Add(parameter);
        }
    }
}
