using ActorTrainer.Journal;
using Npgsql;

namespace ActorTrainer.Akka.Sql;

/// <summary>
/// A lock for each life of a node that dies with its process: a file's flock beside an SQLite journal, a session's advisory lock in
/// PostgreSQL. A free one says that the process is gone, which no silence on the network can say.
/// </summary>
internal sealed class LifeLock : IAsyncDisposable
{
    /// <summary>Keeps our advisory locks apart from those of others in the same database.</summary>
    private const long KeySpace = 7400L << 32;

    private readonly AkkaDatabase _database;
    private readonly LifeLocks? _files;
    private NpgsqlConnection? _session;

    /// <param name="database">The journal's database.</param>
    /// <param name="path">Its file, for SQLite.</param>
    public LifeLock(AkkaDatabase database, string path)
    {
        _database = database;
        _files = database.IsSqlite ? new LifeLocks(path + ".lives") : null;
    }

    /// <summary>Takes the lock of this process's life; held until this is disposed of, or the process dies.</summary>
    public async Task HoldAsync(long incarnation, CancellationToken cancellationToken)
    {
        if (_files is not null)
        {
            _files.Hold(incarnation);
            return;
        }

        // Of its own: a pooled connection is reset when it goes back.
        NpgsqlConnectionStringBuilder builder = new(_database.ConnectionString) { Pooling = false, KeepAlive = 5 };
        _session = new NpgsqlConnection(builder.ConnectionString);
        await _session.OpenAsync(cancellationToken);
        await using NpgsqlCommand take = new("SELECT pg_advisory_lock(@a)", _session);
        take.Parameters.AddWithValue("a", KeySpace + incarnation);
        await take.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Whether a life's process is gone; null when it cannot be told.</summary>
    public async Task<bool?> IsFreeAsync(long incarnation, CancellationToken cancellationToken) => _files is not null
        ? _files.IsFree(incarnation)
        : (await _database.WriteAsync(
            session => session.QueryAsync("SELECT pg_try_advisory_xact_lock(@a)", r => r.GetBoolean(0), KeySpace + incarnation), cancellationToken))[0];

    public async ValueTask DisposeAsync()
    {
        _files?.Dispose();
        if (_session is not null)
        {
            await _session.DisposeAsync();
        }
    }
}
