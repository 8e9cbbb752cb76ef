using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Journal.Tables;

/// <summary>The writes about members, the lease and the owners of shards.</summary>
internal static class OwnershipRules
{
    public static JournalReply Execute(IJournalTables tables, JournalRequest request) => request switch
    {
        RegisterRequest register => Register(tables, register),
        SetMemberRequest setMember => new SetMemberReply(SetMember(tables, setMember)),
        BeatRequest beat => Beat(tables, beat),
        TakeRequest take => Take(tables, take),
        ResignRequest resign => Resign(tables, resign),
        AssignRequest assign => Assign(tables, assign),
        HandOverRequest handOver => HandOver(tables, handOver),
        _ => throw new NotSupportedException($"The journal does not know the request {request.GetType().Name}."),
    };

    private static bool IsFinal(MemberStatus status) => status is MemberStatus.Down or MemberStatus.Removed;

    private static RegisterReply Register(IJournalTables tables, RegisterRequest request)
    {
        // Earlier lives that are not final are in the list; two processes cannot listen on one address, so they are gone.
        foreach (MemberRow earlier in tables.ReadMembers())
        {
            if (earlier.Address == request.Member.Address && !IsFinal(earlier.Status))
            {
                tables.WriteMemberStatus(earlier.Incarnation, MemberStatus.Down, earlier.Cordoned);
            }
        }

        long incarnation = tables.AddMember(request.Member);
        tables.BumpVersion();
        return new RegisterReply(incarnation, tables.Identity);
    }

    private static bool SetMember(IJournalTables tables, SetMemberRequest request)
    {
        if (request.LeaseTerm != 0 && !Holds(tables.ReadLease(), request.LeaseHolder, request.LeaseTerm))
        {
            return false;
        }

        if (tables.FindMember(request.Incarnation) is not { } member)
        {
            return false;
        }

        MemberStatus status = request.Status ?? member.Status;
        bool cordoned = request.Cordoned ?? member.Cordoned;
        if (status == member.Status && cordoned == member.Cordoned)
        {
            return true;
        }

        if (IsFinal(member.Status))
        {
            return false;
        }

        tables.WriteMemberStatus(member.Incarnation, status, cordoned);
        tables.BumpVersion();
        return true;
    }

    private static bool Holds(LeaseRow lease, long holder, long term) => lease.Holder != 0 && lease.Holder == holder && lease.Term == term;

    private static LeaseReply Beat(IJournalTables tables, BeatRequest request)
    {
        LeaseRow lease = tables.ReadLease();
        return Holds(lease, request.Holder, request.Term)
            ? Write(tables, lease with { Beat = lease.Beat + 1 })
            : new LeaseReply(false, lease);
    }

    private static LeaseReply Take(IJournalTables tables, TakeRequest request)
    {
        LeaseRow lease = tables.ReadLease();

        // The same take sent again: only this holder can have moved the beat on by one and be the holder.
        if (lease.Holder != 0 && lease.Holder == request.Holder && lease.Beat == request.SeenBeat + 1)
        {
            return new LeaseReply(true, lease);
        }

        // A life that was declared down may wake up (SIGCONT) and must not rule.
        bool gone = tables.FindMember(request.Holder) is { } member && IsFinal(member.Status);
        return request.Holder != 0 && lease.Beat == request.SeenBeat && !gone
            ? Write(tables, new LeaseRow(request.Holder, lease.Term + 1, lease.Beat + 1))
            : new LeaseReply(false, lease);
    }

    private static LeaseReply Resign(IJournalTables tables, ResignRequest request)
    {
        LeaseRow lease = tables.ReadLease();
        if (Holds(lease, request.Holder, request.Term))
        {
            return Write(tables, lease with { Holder = 0, Beat = lease.Beat + 1 });
        }

        // Sent again: nobody but the holder of a term resigns it.
        return new LeaseReply(lease.Holder == 0 && lease.Term == request.Term, lease);
    }

    private static LeaseReply Write(IJournalTables tables, LeaseRow lease)
    {
        tables.WriteLease(lease);
        return new LeaseReply(true, lease);
    }

    private static AssignReply Assign(IJournalTables tables, AssignRequest request)
    {
        bool held = Holds(tables.ReadLease(), request.Holder, request.LeaseTerm);
        return new AssignReply(held, Give(tables, request.Assignments, row => held));
    }

    private static HandOverReply HandOver(IJournalTables tables, HandOverRequest request) =>
        new(Give(tables, request.Assignments, row => row.Owner != 0 && row.Owner == request.Owner));

    /// <summary>Gives each shard that has the expected term, and that the asker may give, to a target that is up.</summary>
    private static ShardRow[] Give(IJournalTables tables, IReadOnlyList<ShardAssignment> assignments, Func<ShardRow, bool> mayGive)
    {
        var rows = new ShardRow[assignments.Count];
        var isUp = new Dictionary<long, bool>();
        bool changed = false;
        for (int i = 0; i < rows.Length; i++)
        {
            ShardAssignment asked = assignments[i];
            ShardRow row = tables.ReadShard(asked.Shard);
            if (!isUp.TryGetValue(asked.Owner, out bool up))
            {
                up = tables.FindMember(asked.Owner)?.Status == MemberStatus.Up;
                isUp.Add(asked.Owner, up);
            }

            bool exists = asked.Shard >= 0 && asked.Shard < tables.NumberOfShards;
            if (up && exists && row.Term == asked.ExpectedTerm && mayGive(row))
            {
                row = new ShardRow(asked.Shard, asked.Owner, row.Term + 1);
                tables.WriteShard(row);
                changed = true;
            }

            rows[i] = row;
        }

        if (changed)
        {
            tables.BumpVersion();
        }

        return rows;
    }
}
