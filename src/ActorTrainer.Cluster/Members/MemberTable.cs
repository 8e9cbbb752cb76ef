using System.Data.Common;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Cluster.Members;

/// <summary>A member as it stands on record.</summary>
/// <param name="Member">The member; gossip is not asked.</param>
/// <param name="Epoch">The epoch of the cluster that it has entered; 0: none yet.</param>
/// <param name="Beat">A counter that it advances about once a second.</param>
internal sealed record MemberRow(ClusterMember Member, long Epoch = 0, long Beat = 0);

/// <summary>The lives of the nodes on record: their numbers, names, sizes, cordons. Who is alive is Akka.Cluster's to say.</summary>
internal sealed class MemberTable(JournalDatabase database)
{
    /// <summary>Down and removed are final.</summary>
    public const string IsLiving = "status NOT IN ('Down', 'Removed')";

    private const string Columns =
        "incarnation, address, name, roles, slots, status, cordoned, pid, version, akka_address, akka_uid, epoch, beat";

    /// <summary>The newest life of each address, and every one that is neither down nor removed; by number.</summary>
    public const string Query =
        $"SELECT {Columns} FROM actortrainer_member AS m WHERE {IsLiving} OR "
        + "incarnation = (SELECT max(incarnation) FROM actortrainer_member AS n WHERE n.address = m.address) ORDER BY incarnation";

    /// <summary>Registers a new life; earlier lives at its address are down.</summary>
    /// <returns>Its number.</returns>
    public Task<long> RegisterAsync(ClusterMember row, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                await session.RunAsync(
                    $"UPDATE actortrainer_member SET status = 'Down' WHERE address = @a AND {IsLiving}",
                    row.Address.ToString()
                );
                return (
                    await session.QueryAsync(
                        "INSERT INTO actortrainer_member (address, name, roles, slots, status, cordoned, pid, version, "
                            + "akka_address, akka_uid, epoch, beat, server_started) "
                            + "VALUES (@a, @b, @c, @d, @e, 0, @f, @g, '', 0, 0, 0, '') RETURNING incarnation",
                        r => r.GetInt64(0),
                        row.Address.ToString(),
                        row.Name,
                        string.Join(',', row.Roles),
                        row.Slots,
                        row.Status.ToString(),
                        row.Pid,
                        row.Version
                    )
                )[0];
            },
            cancellationToken
        );

    /// <summary>Writes down how Akka calls a life.</summary>
    public Task LocateAsync(long incarnation, string akkaAddress, long uid, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
                session.RunAsync(
                    "UPDATE actortrainer_member SET akka_address = @a, akka_uid = @b WHERE incarnation = @c",
                    akkaAddress,
                    uid,
                    incarnation
                ),
            cancellationToken
        );

    /// <summary>
    /// Writes down that another life is gone. A life that is down itself writes nothing: it was stopped perhaps, and takes those for lost
    /// that went on without it.
    /// </summary>
    public Task RecordGoneAsync(long by, long incarnation, MemberStatus status, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
                session.RunAsync(
                    $"UPDATE actortrainer_member SET status = @a WHERE incarnation = @b AND {IsLiving} AND EXISTS "
                        + $"(SELECT 1 FROM actortrainer_member WHERE incarnation = @c AND {IsLiving})",
                    status.ToString(),
                    incarnation,
                    by
                ),
            cancellationToken
        );

    /// <summary>Changes this node's own status; down and removed are final.</summary>
    public Task SetStatusAsync(long incarnation, MemberStatus status, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
                session.RunAsync(
                    $"UPDATE actortrainer_member SET status = @a WHERE incarnation = @b AND {IsLiving}",
                    status.ToString(),
                    incarnation
                ),
            cancellationToken
        );

    /// <summary>Cordons or uncordons a life.</summary>
    public Task SetCordonedAsync(long incarnation, bool cordoned, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
                session.RunAsync("UPDATE actortrainer_member SET cordoned = @a WHERE incarnation = @b", cordoned ? 1 : 0, incarnation),
            cancellationToken
        );

    /// <summary>Reads what <see cref="Query"/> gives.</summary>
    public Task<List<MemberRow>> ReadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.QueryAsync(Query, Read), cancellationToken);

    /// <summary>One row of <see cref="Query"/>.</summary>
    public static MemberRow Read(DbDataReader reader)
    {
        string roles = reader.GetString(3);
        ClusterMember row = new(
            reader.GetInt64(0),
            NodeAddress.Parse(reader.GetString(1)),
            reader.GetString(2),
            roles.Length == 0 ? [] : roles.Split(','),
            reader.GetInt32(4),
            Enum.Parse<MemberStatus>(reader.GetString(5)),
            reader.GetInt32(6) != 0,
            reader.GetInt32(7),
            reader.GetString(8)
        )
        {
            System = new MemberKey(reader.GetString(9), reader.GetInt64(10)),
        };
        return new MemberRow(row, reader.GetInt64(11), reader.GetInt64(12));
    }
}
