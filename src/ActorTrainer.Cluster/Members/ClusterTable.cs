using System.Data.Common;
using System.Globalization;
using ActorTrainer.Cluster.Persistence;

namespace ActorTrainer.Cluster.Members;

/// <summary>What the journal says of the cluster.</summary>
/// <param name="Epoch">Grows with every founding; 0: there never was a cluster.</param>
/// <param name="Founder">The life that founded it.</param>
/// <param name="Decision">Grows with every decision about members that are not reached.</param>
/// <param name="Rows">The members on record, by number.</param>
internal sealed record ClusterRecord(long Epoch, long Founder, long Decision, IReadOnlyList<MemberRow> Rows)
{
    public MemberRow? Find(long incarnation) => Rows.FirstOrDefault(p => p.Member.Incarnation == incarnation);
}

/// <summary>How a decision that was asked of the journal ended.</summary>
internal enum TakeResult
{
    /// <summary>The victims are down on record.</summary>
    Taken,

    /// <summary>Somebody else has decided something since the rows were read: they have to be read again.</summary>
    Outdated,

    /// <summary>The one that asks is down itself, or of a cluster that is past.</summary>
    Refused,
}

/// <summary>The one row by which lives agree on who founds the cluster, and on who goes on when they do not reach each other.</summary>
internal sealed class ClusterTable(JournalDatabase database)
{
    private const string Together =
        $"SELECT m.*, c.epoch, c.founder, c.decision FROM actortrainer_cluster AS c LEFT JOIN ({MemberTable.Query}) AS m ON 1 = 1 "
        + "ORDER BY m.incarnation";

    /// <summary>On PostgreSQL the row is locked; SQLite's transactions that write follow each other anyway.</summary>
    private readonly string _read = $"SELECT epoch, founder, decision FROM actortrainer_cluster{(database.IsSqlite ? "" : " FOR UPDATE")}";

    /// <summary>
    /// Reads the cluster's row and the members', as they are at one moment: the two change together, and a life that saw its own epoch
    /// before it saw the cluster's would end itself.
    /// </summary>
    public Task<ClusterRecord> ReadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session =>
            {
                List<(ClusterRecord Cluster, MemberRow? Member)> rows = await session.QueryAsync(Together, Read);
                return rows[0].Cluster with { Rows = [.. rows.Where(row => row.Member is not null).Select(row => row.Member!)] };
            },
            cancellationToken
        );

    private static (ClusterRecord Cluster, MemberRow? Member) Read(DbDataReader reader)
    {
        int own = reader.FieldCount - 3;
        return (
            new ClusterRecord(reader.GetInt64(own), reader.GetInt64(own + 1), reader.GetInt64(own + 2), []),
            reader.IsDBNull(0) ? null : MemberTable.Read(reader)
        );
    }

    /// <summary>Enters the cluster's epoch in a life's row. False: there is another epoch by now, or the life is down.</summary>
    public Task<bool> EnterAsync(long self, long epoch, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
                (await session.QueryAsync(_read, r => r.GetInt64(0)))[0] == epoch
                && await session.RunAsync(
                    $"UPDATE actortrainer_member SET epoch = @a WHERE incarnation = @b AND {MemberTable.IsLiving}",
                    epoch,
                    self
                ) == 1,
            cancellationToken
        );

    /// <summary>
    /// Founds the next epoch, if the present one is still <paramref name="epoch"/>, the life itself is not down, and nobody but those found
    /// past is in the cluster or its founder. All lives of the past epoch are down then.
    /// </summary>
    public Task<bool> FoundAsync(long self, long epoch, IReadOnlyList<long> past, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                (long present, long founder) = (await session.QueryAsync(_read, r => (r.GetInt64(0), r.GetInt64(1))))[0];
                if (present != epoch)
                {
                    return false;
                }

                string others = $"epoch > 0 AND epoch <= @a AND incarnation <> @b AND {MemberTable.IsLiving}";
                List<long> hindering = await session.QueryAsync(
                    $"SELECT incarnation FROM actortrainer_member WHERE {others} AND (status IN ('Up', 'Leaving') OR incarnation = @c)",
                    r => r.GetInt64(0),
                    epoch,
                    self,
                    founder
                );
                if (
                    hindering.Except(past).Any()
                    || await session.RunAsync(
                        $"UPDATE actortrainer_member SET epoch = @a WHERE incarnation = @b AND {MemberTable.IsLiving}",
                        epoch + 1,
                        self
                    ) != 1
                )
                {
                    return false;
                }

                await session.RunAsync($"UPDATE actortrainer_member SET status = 'Down' WHERE {others}", epoch, self);
                await session.RunAsync("UPDATE actortrainer_cluster SET epoch = @a, founder = @b", epoch + 1, self);
                return true;
            },
            cancellationToken
        );

    /// <summary>
    /// Takes lives that are not reached out of the cluster, all of them or none. Refused to a life that is down itself; of two sides that
    /// ask at the same time one gets the others.
    /// </summary>
    public Task<TakeResult> TakeAsync(
        long self,
        long epoch,
        long decision,
        IReadOnlyList<long> victims,
        CancellationToken cancellationToken
    ) =>
        database.WriteAsync(
            async session =>
            {
                (long present, long made) = (await session.QueryAsync(_read, r => (r.GetInt64(0), r.GetInt64(2))))[0];
                List<long> living = await session.QueryAsync(
                    $"SELECT incarnation FROM actortrainer_member WHERE incarnation = @a AND {MemberTable.IsLiving}",
                    r => r.GetInt64(0),
                    self
                );
                if (present != epoch || living.Count == 0)
                {
                    return TakeResult.Refused;
                }

                if (made != decision)
                {
                    return TakeResult.Outdated;
                }

                // Numbers, so they can stand in the text.
                string all = string.Join(", ", victims.Select(v => v.ToString(CultureInfo.InvariantCulture)));
                await session.RunAsync(
                    $"UPDATE actortrainer_member SET status = 'Down' WHERE incarnation IN ({all}) AND {MemberTable.IsLiving}"
                );
                await session.RunAsync("UPDATE actortrainer_cluster SET decision = @a", decision + 1);
                return TakeResult.Taken;
            },
            cancellationToken
        );
}
