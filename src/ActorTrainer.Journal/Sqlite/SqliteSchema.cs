using System.Globalization;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>The tables. docs/formats/journal.md describes them.</summary>
internal static class SqliteSchema
{
    public const int Version = 1;

    private const string Tables = """
        CREATE TABLE journal (
          id INTEGER PRIMARY KEY CHECK (id = 1), identity TEXT NOT NULL, schema_version INTEGER NOT NULL,
          number_of_shards INTEGER NOT NULL, version INTEGER NOT NULL);
        CREATE TABLE member (
          incarnation INTEGER PRIMARY KEY, address TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, slots INTEGER NOT NULL,
          status TEXT NOT NULL, cordoned INTEGER NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL);
        CREATE TABLE lease (name TEXT PRIMARY KEY, holder INTEGER NOT NULL, term INTEGER NOT NULL, beat INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE shard (shard INTEGER PRIMARY KEY, owner INTEGER NOT NULL, term INTEGER NOT NULL);
        CREATE TABLE task (
          key INTEGER PRIMARY KEY, task TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, spec_hash TEXT NOT NULL, shard INTEGER NOT NULL,
          gang TEXT, rank INTEGER NOT NULL, finished INTEGER NOT NULL, status TEXT NOT NULL, priority INTEGER NOT NULL, slots INTEGER NOT NULL,
          avoid INTEGER NOT NULL, alone INTEGER NOT NULL, last_sequence INTEGER NOT NULL, submitted_at INTEGER NOT NULL,
          changed_at INTEGER NOT NULL, summary TEXT NOT NULL);
        CREATE INDEX task_unfinished ON task (shard) WHERE finished = 0;
        CREATE TABLE event (
          task INTEGER NOT NULL, sequence INTEGER NOT NULL, term INTEGER NOT NULL, append_id TEXT NOT NULL, time INTEGER NOT NULL,
          type TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (task, sequence)) WITHOUT ROWID;
        CREATE TABLE snapshot (
          task INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, fold_version INTEGER NOT NULL, body TEXT NOT NULL);
        CREATE TABLE checkpoint (
          key INTEGER PRIMARY KEY, task INTEGER NOT NULL, name TEXT NOT NULL, term INTEGER NOT NULL, time INTEGER NOT NULL,
          damaged INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (task, name));
        """;

    /// <summary>Makes the tables in an empty file; checks those of another. Under the write lock.</summary>
    /// <returns>The journal's identity.</returns>
    /// <exception cref="JournalOpenException">It is not a journal, or another one than this version or configuration fits.</exception>
    public static string Ensure(JournalConnection connection, string path, int numberOfShards)
    {
        List<string> tables = connection.Query(
            "SELECT name FROM sqlite_schema WHERE type = 'table'", static reader => reader.GetString(0));
        if (tables.Count == 0)
        {
            Create(connection, numberOfShards);
        }
        else if (tables.Contains("actortrainer_journal", StringComparer.Ordinal))
        {
            throw new JournalOpenException(
                JournalOpenFailure.NotAJournal,
                $"The journal {path} has other tables. Set actortrainer.journal.path to another file.");
        }
        else if (!tables.Contains("journal", StringComparer.Ordinal))
        {
            throw new JournalOpenException(
                JournalOpenFailure.NotAJournal,
                $"{path} is an SQLite database of something else. Set actortrainer.journal.path to a file of its own.");
        }

        (long schema, long shards, string identity) = connection.First(
            "SELECT schema_version, number_of_shards, identity FROM journal",
            static reader => (reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2)));
        if (schema != Version)
        {
            throw new JournalOpenException(
                JournalOpenFailure.UnknownSchema,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal {path} has schema version {schema}; this version of ActorTrainer knows {Version}. Use the version of ActorTrainer that wrote it, or a newer one."));
        }

        if (shards != numberOfShards)
        {
            throw new JournalOpenException(
                JournalOpenFailure.OtherNumberOfShards,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal {path} has {shards} shards, but {numberOfShards} are configured. The number is fixed for a journal's life: set actortrainer.sharding.number-of-shards = {shards}, or use another journal."));
        }

        return identity;
    }

    private static void Create(JournalConnection connection, int numberOfShards)
    {
        connection.Run("BEGIN IMMEDIATE");
        foreach (string statement in Tables.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            connection.Run(statement);
        }

        connection.Run(
            "INSERT INTO journal (id, identity, schema_version, number_of_shards, version) VALUES (1, ?1, ?2, ?3, 0)",
            Guid.NewGuid().ToString("N"), Version, numberOfShards);
        connection.Run("INSERT INTO lease (name, holder, term, beat) VALUES ('coordinator', 0, 0, 0)");
        for (int shard = 0; shard < numberOfShards; shard++)
        {
            connection.Run("INSERT INTO shard (shard, owner, term) VALUES (?1, 0, 0)", shard);
        }

        connection.Run("COMMIT");
    }
}
