using ActorTrainer.Core.Cluster;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>Asks whether the process of a life is gone, which no silence on the network can say. See <see cref="LifePulse"/>.</summary>
/// <param name="database">The journal's database.</param>
/// <param name="path">Its file, for SQLite.</param>
internal sealed class LifeProof(JournalDatabase database, string path)
{
    private readonly LifeLocks? _files = database.IsSqlite ? new LifeLocks(FolderOf(path)) : null;

    /// <summary>Where the locks beside an SQLite journal are.</summary>
    public static string FolderOf(string path) => path + ".lives";

    /// <summary>What there is of a life; how long its beat stands still the caller adds.</summary>
    public async Task<LifeEvidence> AskAsync(long incarnation, CancellationToken cancellationToken)
    {
        if (_files is not null)
        {
            return new LifeEvidence(_files.IsFree(incarnation), ServerSame: true, TimeSpan.Zero);
        }

        // Shared: those that ask at the same time do not see each other.
        return (
            await database.WriteAsync(
                session =>
                    session.QueryAsync(
                        "SELECT pg_try_advisory_xact_lock_shared(@a), "
                            + "server_started = extract(epoch FROM pg_postmaster_start_time())::text "
                            + "FROM actortrainer_member WHERE incarnation = @b",
                        r => new LifeEvidence(r.GetBoolean(0), r.GetBoolean(1), TimeSpan.Zero),
                        LifePulse.KeySpace + incarnation,
                        incarnation
                    ),
                cancellationToken
            )
        ).FirstOrDefault(new LifeEvidence(null, false, TimeSpan.Zero));
    }
}
