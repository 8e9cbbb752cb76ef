using ActorTrainer.Journal.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Journal.Tests;

/// <summary>A folder of its own for one test's journal, removed at the end.</summary>
internal sealed class JournalFolder : IDisposable
{
    public JournalFolder() => Root = Directory.CreateTempSubdirectory("actortrainer-journal-").FullName;

    public string Root { get; }

    public string Database => Path.Combine(Root, "journal.db");

    public SqliteJournalOptions Options(int shards = 8) => new(Database, shards);

    public Task<SqliteJournal> OpenAsync(SqliteJournalOptions? options = null, TimeProvider? time = null) =>
        SqliteJournal.OpenAsync(options ?? Options(), time ?? TimeProvider.System, NullLogger.Instance, CancellationToken.None);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
