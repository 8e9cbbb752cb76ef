using System.Globalization;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>The tables, and the check that a database is one of this version, cluster and configuration.</summary>
internal static class JournalSchema
{
    /// <summary>Grows when a table changes in a way that an older version does not understand.</summary>
    public const int Version = 3;

    /// <summary>Grows when nodes of two versions can no longer be in one cluster.</summary>
    public const int Protocol = 1;

    private const string Tables = """
        CREATE TABLE IF NOT EXISTS actortrainer_journal (
          id INTEGER PRIMARY KEY CHECK (id = 1), identity TEXT NOT NULL, schema_version INTEGER NOT NULL, number_of_shards INTEGER NOT NULL,
          cluster TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS actortrainer_member (
          incarnation {identity}, address TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, slots INTEGER NOT NULL,
          status TEXT NOT NULL, cordoned INTEGER NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL, akka_address TEXT NOT NULL,
          akka_uid BIGINT NOT NULL, epoch BIGINT NOT NULL, beat BIGINT NOT NULL, server_started TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS actortrainer_cluster (
          id INTEGER PRIMARY KEY CHECK (id = 1), epoch BIGINT NOT NULL, founder BIGINT NOT NULL, decision BIGINT NOT NULL,
          protocol INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS actortrainer_name (name TEXT PRIMARY KEY, task TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS actortrainer_task (
          task TEXT PRIMARY KEY, name TEXT NOT NULL, shard INTEGER NOT NULL, finished INTEGER NOT NULL, sequence BIGINT NOT NULL,
          term BIGINT NOT NULL, owner BIGINT NOT NULL, claim BIGINT NOT NULL, version BIGINT NOT NULL, submitted_at BIGINT NOT NULL,
          changed_at BIGINT NOT NULL, summary TEXT NOT NULL, checkpoints TEXT NOT NULL, deleted_to BIGINT NOT NULL DEFAULT 0);
        CREATE INDEX IF NOT EXISTS actortrainer_task_name ON actortrainer_task (name);
        CREATE INDEX IF NOT EXISTS actortrainer_task_version ON actortrainer_task (version);
        CREATE INDEX IF NOT EXISTS actortrainer_task_unfinished ON actortrainer_task (task) WHERE finished = 0;
        CREATE INDEX IF NOT EXISTS actortrainer_task_finished ON actortrainer_task (changed_at) WHERE finished = 1;
        CREATE TABLE IF NOT EXISTS actortrainer_archive (
          task TEXT PRIMARY KEY, name TEXT NOT NULL, submitted_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, summary TEXT NOT NULL,
          checkpoints TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS actortrainer_metrics (task TEXT PRIMARY KEY, series TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS actortrainer_row_version (id INTEGER PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL);
        """;

    /// <summary>They are made in one transaction, with what stands in them from the first.</summary>
    private static readonly string[] OwnTables =
    [
        .. Tables
            .Split("CREATE TABLE IF NOT EXISTS ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(table => table[..table.IndexOf(' ', StringComparison.Ordinal)]),
    ];

    /// <summary>Columns of Akka.Persistence.Sql's tables under our names that this version reads and writes.</summary>
    private static readonly Dictionary<string, string[]> AkkaTables = new(StringComparer.Ordinal)
    {
        ["actortrainer_event"] =
        [
            "ordering",
            "deleted",
            "persistence_id",
            "sequence_number",
            "created",
            "tags",
            "message",
            "identifier",
            "manifest",
            "writer_uuid",
        ],
        ["actortrainer_snapshot"] = ["persistence_id", "sequence_number", "created", "snapshot", "manifest", "serializer_id"],
    };

    /// <summary>
    /// Makes the tables in a database without any; checks those of another. Safe when several nodes do it at the same time.
    /// </summary>
    /// <returns>What tells this journal from all others.</returns>
    /// <exception cref="JournalOpenException">The database cannot be used; says why and what to do.</exception>
    public static async Task<string> EnsureAsync(JournalDatabase database, NodeModel model, CancellationToken cancellationToken)
    {
        if (database.IsSqlite)
        {
            PrepareFolder(model.Journal.Path);
            FileSystemCheck.RefuseNetwork(Path.GetDirectoryName(model.Journal.Path)!);
        }

        try
        {
            List<string> tables = await TablesAsync(database, cancellationToken);
            CheckOthers(database, tables);
            if (database.IsSqlite)
            {
                // Readers of one node then never wait for a writer of another.
                await database.ReadAsync(
                    session => session.QueryAsync("PRAGMA journal_mode = WAL", r => r.GetString(0)),
                    cancellationToken
                );
            }

            await CheckVersionAsync(database, tables, cancellationToken);
            if (!OwnTables.All(tables.Contains))
            {
                // Only then: whether an index is there PostgreSQL finds out under a lock that no writer may hold at the time, so a node
                // that starts and one that writes rows would wait for each other.
                await CreateAsync(database, model, cancellationToken);
            }

            string identity = await CheckOwnAsync(database, model, cancellationToken);
            await CheckProtocolAsync(database, cancellationToken);
            await CheckAkkaTablesAsync(database, tables, cancellationToken);
            return identity;
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && e is not OperationCanceledException)
        {
            throw new JournalOpenException(JournalOpenFailure.Unusable, $"The journal {database.Name} cannot be used: {e.Message}", e);
        }
    }

    private static void PrepareFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalOpenException(
                JournalOpenFailure.Unusable,
                $"The journal's folder {Path.GetDirectoryName(path)} cannot be made ({e.Message}). "
                    + "Make it yourself, or set actortrainer.journal.path.",
                e
            );
        }
    }

    /// <summary>A file that something else has made is left as it is.</summary>
    private static void CheckOthers(JournalDatabase database, List<string> tables)
    {
        if (!database.IsSqlite || tables.Contains("actortrainer_journal"))
        {
            // A PostgreSQL database may hold other tables; ours have a prefix.
            return;
        }

        if (tables.FirstOrDefault(t => !t.StartsWith("actortrainer_", StringComparison.Ordinal)) is { } foreign)
        {
            throw new JournalOpenException(
                JournalOpenFailure.NotAJournal,
                $"{database.Name} is a database of something else: it has a table '{foreign}'. "
                    + "Set actortrainer.journal.path to a file of its own."
            );
        }
    }

    private static Task<bool> CreateAsync(JournalDatabase database, NodeModel model, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                if (!database.IsSqlite)
                {
                    // Two nodes that make tables at the same time would trip over each other.
                    await session.QueryAsync("SELECT pg_advisory_xact_lock(7400)", _ => true);
                }

                string identity = database.IsSqlite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGSERIAL PRIMARY KEY";
                foreach (string statement in Tables.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                {
                    await session.RunAsync(statement.Replace("{identity}", identity, StringComparison.Ordinal));
                }

                await session.RunAsync("INSERT INTO actortrainer_row_version (id, version) VALUES (1, 1) ON CONFLICT (id) DO NOTHING");
                await session.RunAsync(
                    "INSERT INTO actortrainer_journal (id, identity, schema_version, number_of_shards, cluster) "
                        + "VALUES (1, @a, @b, @c, @d) ON CONFLICT (id) DO NOTHING",
                    Guid.NewGuid().ToString("N"),
                    Version,
                    model.Sharding.NumberOfShards,
                    model.ClusterName
                );
                await session.RunAsync(
                    "INSERT INTO actortrainer_cluster (id, epoch, founder, decision, protocol) VALUES (1, 0, 0, 0, @a) "
                        + "ON CONFLICT (id) DO NOTHING",
                    Protocol
                );
                return true;
            },
            cancellationToken
        );

    private static async Task<string> CheckOwnAsync(JournalDatabase database, NodeModel model, CancellationToken cancellationToken)
    {
        (long shards, string cluster, string identity) = (
            await database.ReadAsync(
                session =>
                    session.QueryAsync(
                        "SELECT number_of_shards, cluster, identity FROM actortrainer_journal",
                        r => (r.GetInt64(0), r.GetString(1), r.GetString(2))
                    ),
                cancellationToken
            )
        )[0];
        if (shards != model.Sharding.NumberOfShards)
        {
            throw new JournalOpenException(
                JournalOpenFailure.OtherNumberOfShards,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal {database.Name} has {shards} shards, but {model.Sharding.NumberOfShards} are configured. "
                        + $"The number is fixed for a journal's life: set actortrainer.sharding.number-of-shards = {shards}, "
                        + $"or use another journal."
                )
            );
        }

        if (cluster != model.ClusterName)
        {
            throw new JournalOpenException(
                JournalOpenFailure.NotAJournal,
                $"The journal {database.Name} belongs to cluster '{cluster}', this node to '{model.ClusterName}'. "
                    + $"Set actortrainer.cluster.name = {cluster}, or use another journal."
            );
        }

        return identity;
    }

    /// <summary>Checks before anything is made: tables of another version are left as they are.</summary>
    private static async Task CheckVersionAsync(JournalDatabase database, List<string> tables, CancellationToken cancellationToken)
    {
        if (!tables.Contains("actortrainer_journal"))
        {
            return;
        }

        List<long> versions = await database.ReadAsync(
            session => session.QueryAsync("SELECT schema_version FROM actortrainer_journal", r => r.GetInt64(0)),
            cancellationToken
        );
        if (versions is [not Version])
        {
            throw new JournalOpenException(
                JournalOpenFailure.UnknownSchema,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal {database.Name} has schema version {versions[0]}; "
                        + $"this version of ActorTrainer knows {Version}. Use the version of ActorTrainer that wrote it, "
                        + $"or another journal."
                )
            );
        }
    }

    private static async Task CheckProtocolAsync(JournalDatabase database, CancellationToken cancellationToken)
    {
        long protocol = (
            await database.ReadAsync(
                session => session.QueryAsync("SELECT protocol FROM actortrainer_cluster", r => r.GetInt64(0)),
                cancellationToken
            )
        )[0];
        if (protocol != Protocol)
        {
            throw new JournalOpenException(
                JournalOpenFailure.UnknownSchema,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The nodes of the cluster in {database.Name} speak protocol {protocol}; "
                        + $"this version of ActorTrainer speaks {Protocol}. Use the version that the other nodes have, "
                        + $"or end them all and start them with one version."
                )
            );
        }
    }

    /// <summary>
    /// Akka.Persistence.Sql takes whatever table of the name is there, and fails with each write when its columns are others.
    /// </summary>
    private static async Task CheckAkkaTablesAsync(JournalDatabase database, List<string> tables, CancellationToken cancellationToken)
    {
        foreach ((string table, string[] wanted) in AkkaTables.Where(t => tables.Contains(t.Key)))
        {
            List<string> columns = await database.ReadAsync(
                session =>
                    session.QueryAsync(
                        database.IsSqlite
                            ? "SELECT name FROM pragma_table_info(@a)"
                            : "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() "
                                + "AND table_name = @a",
                        r => r.GetString(0),
                        table
                    ),
                cancellationToken
            );
            string[] missing = [.. wanted.Except(columns, StringComparer.Ordinal)];
            if (missing.Length > 0)
            {
                throw new JournalOpenException(
                    JournalOpenFailure.UnknownSchema,
                    $"The journal {database.Name} has a table {table} of another schema: column {missing[0]} is missing. "
                        + "Another version of Akka.Persistence.Sql or something else made it; "
                        + "use another journal, or move that table away."
                );
            }
        }
    }

    /// <summary>Whether a table is there.</summary>
    public static async Task<bool> HasTableAsync(JournalDatabase database, Session session, string name) =>
        (await session.QueryAsync($"SELECT name FROM ({TablesOf(database)}) AS tables WHERE name = @a", _ => true, name)).Count > 0;

    private static Task<List<string>> TablesAsync(JournalDatabase database, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryAsync(TablesOf(database), r => r.GetString(0)), cancellationToken);

    private static string TablesOf(JournalDatabase database) =>
        database.IsSqlite
            ? "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            : "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()";
}
