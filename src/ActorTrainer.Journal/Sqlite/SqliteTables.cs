using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Tables;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>The rows in SQLite: journal, lease, shards and members. The tasks' tables are in the other part.</summary>
internal sealed partial class SqliteTables(JournalConnection connection, string identity, int numberOfShards) : IJournalTables
{
    public string Identity => identity;

    public int NumberOfShards => numberOfShards;

    public long ReadVersion() => connection.First("SELECT version FROM journal", static reader => reader.GetInt64(0));

    public void BumpVersion() => connection.Run("UPDATE journal SET version = version + 1");

    public LeaseRow ReadLease() =>
        connection.First(
            "SELECT holder, term, beat FROM lease WHERE name = 'coordinator'",
            static reader => new LeaseRow(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2)))!;

    public void WriteLease(LeaseRow lease) =>
        connection.Run("UPDATE lease SET holder = ?1, term = ?2, beat = ?3 WHERE name = 'coordinator'", lease.Holder, lease.Term, lease.Beat);

    public ShardRow ReadShard(int shard)
    {
        (long owner, long term) = connection.First(
            "SELECT owner, term FROM shard WHERE shard = ?1", static reader => (reader.GetInt64(0), reader.GetInt64(1)), shard);
        return new ShardRow(shard, owner, term);
    }

    public void WriteShard(ShardRow row) =>
        connection.Run("UPDATE shard SET owner = ?2, term = ?3 WHERE shard = ?1", row.Shard, row.Owner, row.Term);

    public IReadOnlyList<ShardRow> ReadShards() =>
        connection.Query(
            "SELECT shard, owner, term FROM shard ORDER BY shard",
            static reader => new ShardRow(reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2)));

    public long AddMember(MemberRow member)
    {
        long incarnation = connection.First("SELECT coalesce(max(incarnation), 0) + 1 FROM member", static reader => reader.GetInt64(0));
        connection.Run(
            """
            INSERT INTO member (incarnation, address, name, roles, slots, status, cordoned, pid, version)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """,
            incarnation,
            member.Address.ToString(),
            member.Name,
            RowFormat.Roles(member.Roles),
            member.Slots,
            member.Status.ToString(),
            member.Cordoned ? 1 : 0,
            member.Pid,
            member.Version);
        return incarnation;
    }

    public MemberRow? FindMember(long incarnation) =>
        connection.First($"SELECT {RowFormat.MemberColumns} FROM member WHERE incarnation = ?1", RowFormat.Member, incarnation);

    public void WriteMemberStatus(long incarnation, MemberStatus status, bool cordoned) =>
        connection.Run(
            "UPDATE member SET status = ?2, cordoned = ?3 WHERE incarnation = ?1", incarnation, status.ToString(), cordoned ? 1 : 0);

    public IReadOnlyList<MemberRow> ReadMembers() =>
        connection.Query(
            $"""
            SELECT {RowFormat.MemberColumns} FROM member
            WHERE status NOT IN ('Down', 'Removed') OR incarnation IN (SELECT max(incarnation) FROM member GROUP BY address)
            ORDER BY incarnation
            """,
            RowFormat.Member);
}
