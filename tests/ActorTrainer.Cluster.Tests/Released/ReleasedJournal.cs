using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Released;
using ActorTrainer.Testing.Trainers;

namespace ActorTrainer.Cluster.Tests.Released;

/// <summary>
/// A small journal that a released version has written, with the checkpoints that it names: <c>journal.sql</c> and
/// <c>checkpoints.txt</c>. Where in the file system it was written stands there as <c>@folder@</c> and <c>@trainers@</c>.
/// </summary>
internal static class ReleasedJournal
{
    private const string Journal = "journal.sql";
    private const string Checkpoints = "checkpoints.txt";
    private const string Folder = "@folder@";
    private const string Trainers = "@trainers@";

    private static readonly ReleasedFiles Files = new();
    private static readonly string TrainersFolder = Path.GetDirectoryName(typeof(ScriptedTrainer).Assembly.Location)!;

    public static IEnumerable<string> Versions => Files.VersionsOf(Journal);

    public static bool IsWanted => Files.Wants(Journal);

    /// <summary>Writes down what a cluster has left behind.</summary>
    public static async Task WriteAsync(LocalCluster cluster)
    {
        string sql = await SqlText.OfAsync(JournalDatabase.Of(new JournalModel { Path = cluster.JournalPath }).ConnectionString);
        sql = sql.Replace(cluster.Folder, Folder, StringComparison.Ordinal).Replace(TrainersFolder, Trainers, StringComparison.Ordinal);
        sql.ShouldNotContain(LocalCluster.Repository);
        string store = cluster.StorePath;
        Files.WritePairs(
            Checkpoints,
            Directory
                .EnumerateFiles(store, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(path => KeyValuePair.Create(Path.GetRelativePath(store, path), Convert.ToBase64String(File.ReadAllBytes(path))))
        );
        Files.Write(Journal, sql);
    }

    /// <summary>Makes a journal of it at a path.</summary>
    /// <param name="version">The version that wrote it.</param>
    /// <param name="model">Where.</param>
    /// <param name="folder">What the folder is now in which its tasks look for files.</param>
    /// <returns>The model as the journal wants it.</returns>
    public static async Task<NodeModel> RestoreAsync(string version, NodeModel model, string folder)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(model.Journal.Path)!);
        JournalDatabase database = JournalDatabase.Of(model.Journal);
        await SqlText.ToAsync(
            database.ConnectionString,
            Files
                .Read(version, Journal)
                .Replace(Folder, folder, StringComparison.Ordinal)
                .Replace(Trainers, TrainersFolder, StringComparison.Ordinal)
        );
        List<long> lives = await database.ReadAsync(
            session => session.QueryAsync("SELECT incarnation FROM actortrainer_member", r => r.GetInt64(0)),
            CancellationToken.None
        );
        string locks = Directory.CreateDirectory(model.Journal.Path + ".lives").FullName;
        foreach (long life in lives)
        {
            // Beside a journal these files stay: nobody holds the lock, so the process is gone.
            await File.WriteAllTextAsync(Path.Combine(locks, FormattableString.Invariant($"{life}.lock")), "");
        }

        (string cluster, int shards) = (
            await database.ReadAsync(
                session =>
                    session.QueryAsync("SELECT cluster, number_of_shards FROM actortrainer_journal", r => (r.GetString(0), r.GetInt32(1))),
                CancellationToken.None
            )
        )[0];
        return model with { ClusterName = cluster, Sharding = model.Sharding with { NumberOfShards = shards } };
    }

    /// <summary>Puts its checkpoints into a store's folder.</summary>
    public static async Task RestoreCheckpointsAsync(string version, string store)
    {
        foreach ((string name, string content) in Files.ReadPairs(version, Checkpoints))
        {
            string path = Path.Combine(store, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, Convert.FromBase64String(content));
        }
    }
}
