using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>A connection to the database, set up as the journal needs it, with its prepared statements. For one thread.</summary>
internal sealed class JournalConnection : IDisposable
{
    /// <summary>How long SQLite waits for locks of programs that do not take part in the flock, in milliseconds.</summary>
    private const int BusyMilliseconds = 1000;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    static JournalConnection() => Batteries_V2.Init();

    private JournalConnection(SqliteConnection connection) => _connection = connection;

    /// <summary>Whether the file could only be opened for reading.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(_connection.Handle!, "main") == 1;

    /// <summary>The connection that writes. Only to be opened and used under the write lock.</summary>
    public static JournalConnection OpenWriter(string path, bool create)
    {
        JournalConnection connection = Open(path, create ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite);
        try
        {
            // An acknowledged write survives a power cut; checkpoints happen only where the write lock is held.
            connection.Run("PRAGMA journal_mode = WAL");
            connection.Run("PRAGMA synchronous = FULL");
            connection.Run("PRAGMA wal_autocheckpoint = 0");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A connection that reads beside the writers. The file has to exist.</summary>
    public static JournalConnection OpenReader(string path)
    {
        // Not opened read-only: a reader of a WAL database maintains the shared index.
        JournalConnection connection = Open(path, SqliteOpenMode.ReadWrite);
        try
        {
            connection.Run("PRAGMA query_only = ON");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Run(string sql, params ReadOnlySpan<object?> arguments) => Command(sql, arguments).ExecuteNonQuery();

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> arguments)
    {
        using SqliteDataReader reader = Command(sql, arguments).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    public T? First<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> arguments)
    {
        using SqliteDataReader reader = Command(sql, arguments).ExecuteReader();
        return reader.Read() ? map(reader) : default;
    }

    /// <summary>Moves frames of the WAL into the database. Only under the write lock.</summary>
    /// <returns>Frames in the WAL, and how many of them are in the database now.</returns>
    public (int Frames, int Moved) Checkpoint(bool truncate)
    {
        sqlite3 handle = _connection.Handle!;

        // Truncating waits for readers through the busy handler, and everybody would wait with it.
        raw.sqlite3_busy_timeout(handle, 20);
        int result = raw.sqlite3_wal_checkpoint_v2(
            handle, "main", truncate ? raw.SQLITE_CHECKPOINT_TRUNCATE : raw.SQLITE_CHECKPOINT_PASSIVE, out int frames, out int moved);
        raw.sqlite3_busy_timeout(handle, BusyMilliseconds);
        if (result is not (raw.SQLITE_OK or raw.SQLITE_BUSY))
        {
            SqliteException.ThrowExceptionForRC(result, handle);
        }

        return (frames, moved);
    }

    public void Dispose()
    {
        foreach (SqliteCommand command in _commands.Values)
        {
            command.Dispose();
        }

        _commands.Clear();
        _connection.Dispose();
    }

    private static JournalConnection Open(string path, SqliteOpenMode mode)
    {
        var builder = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = 1,
        };
        var connection = new SqliteConnection(builder.ToString());
        try
        {
            connection.Open();
            sqlite3 handle = connection.Handle!;

            // SQLite's own busy handler waits 1, 2, 5 … ms; the provider's loop would sleep for 150 ms.
            raw.sqlite3_busy_timeout(handle, BusyMilliseconds);
            raw.sqlite3_db_config(handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
            var opened = new JournalConnection(connection);
            opened.Run("PRAGMA mmap_size = 0");
            opened.Run("PRAGMA temp_store = MEMORY");
            return opened;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private SqliteCommand Command(string sql, ReadOnlySpan<object?> arguments)
    {
        if (!_commands.TryGetValue(sql, out SqliteCommand? command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 0; i < arguments.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter("?" + (i + 1).ToString(System.Globalization.CultureInfo.InvariantCulture), null));
            }

            command.Prepare();
            _commands.Add(sql, command);
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        }

        return command;
    }
}
