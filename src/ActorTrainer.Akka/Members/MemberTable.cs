using System.Data.Common;
using ActorTrainer.Akka.Sql;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Akka.Members;

/// <summary>A member, and how Akka calls it.</summary>
/// <param name="Row">The member.</param>
/// <param name="AkkaAddress">For example <c>akka.tcp://actortrainer@127.0.0.1:8400</c>; empty until its system stands.</param>
/// <param name="AkkaUid">Tells two systems at one address apart.</param>
internal sealed record MemberPlace(MemberRow Row, string AkkaAddress, long AkkaUid);

/// <summary>The lives of the nodes on record: their numbers, names, sizes, cordons. Who is alive is Akka.Cluster's to say.</summary>
internal sealed class MemberTable(AkkaDatabase database)
{
    private const string Columns = "incarnation, address, name, roles, slots, status, cordoned, pid, version, akka_address, akka_uid";

    /// <summary>Registers a new life; earlier lives at its address are down.</summary>
    /// <returns>Its number.</returns>
    public Task<long> RegisterAsync(MemberRow row, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            await session.RunAsync(
                "UPDATE actortrainer_member SET status = @a WHERE address = @b AND status NOT IN (@a, @c)",
                nameof(MemberStatus.Down), row.Address.ToString(), nameof(MemberStatus.Removed));
            return (await session.QueryAsync(
                "INSERT INTO actortrainer_member (address, name, roles, slots, status, cordoned, pid, version, akka_address, akka_uid) " +
                "VALUES (@a, @b, @c, @d, @e, 0, @f, @g, '', 0) RETURNING incarnation",
                r => r.GetInt64(0),
                row.Address.ToString(), row.Name, string.Join(',', row.Roles), row.Slots, row.Status.ToString(), row.Pid, row.Version))[0];
        },
        cancellationToken);

    /// <summary>Says how Akka calls a life.</summary>
    public Task LocateAsync(long incarnation, string akkaAddress, long uid, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.RunAsync(
            "UPDATE actortrainer_member SET akka_address = @a, akka_uid = @b WHERE incarnation = @c", akkaAddress, uid, incarnation),
        cancellationToken);

    /// <summary>
    /// Writes down that another life is gone. A life that is down itself writes nothing: it was stopped perhaps, and takes those for lost that
    /// went on without it.
    /// </summary>
    public Task RecordGoneAsync(long by, long incarnation, MemberStatus status, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.RunAsync(
            "UPDATE actortrainer_member SET status = @a WHERE incarnation = @b AND status NOT IN (@c, @d) AND EXISTS " +
            "(SELECT 1 FROM actortrainer_member WHERE incarnation = @e AND status NOT IN (@c, @d))",
            status.ToString(), incarnation, nameof(MemberStatus.Down), nameof(MemberStatus.Removed), by),
        cancellationToken);

    /// <summary>Changes this node's own status; down and removed are final.</summary>
    public Task SetStatusAsync(long incarnation, MemberStatus status, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.RunAsync(
            "UPDATE actortrainer_member SET status = @a WHERE incarnation = @b AND status NOT IN (@c, @d)",
            status.ToString(), incarnation, nameof(MemberStatus.Down), nameof(MemberStatus.Removed)),
        cancellationToken);

    /// <summary>Cordons or uncordons a life.</summary>
    public Task SetCordonedAsync(long incarnation, bool cordoned, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.RunAsync("UPDATE actortrainer_member SET cordoned = @a WHERE incarnation = @b", cordoned ? 1 : 0, incarnation),
        cancellationToken);

    /// <summary>The newest life of each address, and every one that is neither down nor removed; by number.</summary>
    public Task<List<MemberPlace>> ReadAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"SELECT {Columns} FROM actortrainer_member AS m WHERE status NOT IN (@a, @b) OR " +
            "incarnation = (SELECT max(incarnation) FROM actortrainer_member AS n WHERE n.address = m.address) ORDER BY incarnation",
            Read,
            nameof(MemberStatus.Down),
            nameof(MemberStatus.Removed)),
        cancellationToken);

    private static MemberPlace Read(DbDataReader reader)
    {
        string roles = reader.GetString(3);
        MemberRow row = new(
            reader.GetInt64(0),
            NodeAddress.Parse(reader.GetString(1)),
            reader.GetString(2),
            roles.Length == 0 ? [] : roles.Split(','),
            reader.GetInt32(4),
            Enum.Parse<MemberStatus>(reader.GetString(5)),
            reader.GetInt32(6) != 0,
            reader.GetInt32(7),
            reader.GetString(8));
        return new MemberPlace(row, reader.GetString(9), reader.GetInt64(10));
    }
}
