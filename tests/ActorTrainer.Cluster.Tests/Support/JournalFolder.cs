using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>A journal of its own: an SQLite file in a folder, removed with everything in it, or a database of PostgreSQL.</summary>
internal sealed class JournalFolder : IDisposable
{
    /// <param name="postgreSql">The connection string of an empty database; null: SQLite.</param>
    public JournalFolder(string? postgreSql = null)
    {
        Folder = Directory.CreateTempSubdirectory("actortrainer-akka-").FullName;
        Model = new NodeModel
        {
            ClusterName = "testing",
            Address = new NodeAddress("127.0.0.1", 0),
            Slots = 2,
            Journal = new JournalModel { Path = Path.Combine(Folder, "journal.db"), PostgreSql = postgreSql },
        };
    }

    public string Folder { get; }

    public NodeModel Model { get; init; }

    public JournalDatabase Database => JournalDatabase.Of(Model.Journal);

    public async Task<JournalDatabase> OpenAsync()
    {
        await JournalSchema.EnsureAsync(Database, Model, CancellationToken.None);
        return Database;
    }

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(Folder, recursive: true);
    }
}
