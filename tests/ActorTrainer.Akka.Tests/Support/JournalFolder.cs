using ActorTrainer.Akka.Sql;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Akka.Tests.Support;

/// <summary>A folder for an SQLite journal; removed with everything in it.</summary>
internal sealed class JournalFolder : IDisposable
{
    public JournalFolder()
    {
        Folder = Directory.CreateTempSubdirectory("actortrainer-akka-").FullName;
        Model = new NodeModel
        {
            Engine = EngineKind.Akka,
            ClusterName = "testing",
            Address = new NodeAddress("127.0.0.1", 0),
            Slots = 2,
            Journal = new JournalModel { Path = Path.Combine(Folder, "journal.db") },
        };
    }

    public string Folder { get; }

    public NodeModel Model { get; init; }

    public AkkaDatabase Database => AkkaDatabase.Of(Model.Journal);

    public async Task<AkkaDatabase> OpenAsync()
    {
        await AkkaSchema.EnsureAsync(Database, Model, CancellationToken.None);
        return Database;
    }

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(Folder, recursive: true);
    }
}
