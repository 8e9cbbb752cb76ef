using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Journal.Tables;

/// <summary>
/// When each write is accepted and what each read shows. The caller runs it inside one transaction; writes are serialised, so
/// compare-and-set is a read, a decision and a write. A request that is sent again after an unknown outcome changes nothing more
/// than it did, or would have done, the first time.
/// </summary>
internal static class JournalRules
{
    public static JournalReply Execute(IJournalTables tables, PreparedRequest prepared, bool fencing) => prepared.Request switch
    {
        AppendRequest => Append(tables, prepared, fencing),
        ClaimRequest request => Claim(tables, request),
        ReadClusterRequest request => ReadCluster(tables, request),
        ListTasksRequest request => new ListTasksReply(tables.ListTasks(request)),
        ListEventsRequest request => ListEvents(tables, request),
        ListCheckpointsRequest request => new ListCheckpointsReply(tables.ListCheckpoints(request.Task)),
        _ => OwnershipRules.Execute(tables, prepared.Request),
    };

    private static AppendReply Append(IJournalTables tables, PreparedRequest prepared, bool fencing)
    {
        var results = new AppendResult[prepared.Appends.Count];
        bool changed = false;
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = AppendOne(tables, prepared.Appends[i], prepared.Time, fencing, ref changed);
        }

        if (changed)
        {
            tables.BumpVersion();
        }

        return new AppendReply(results);
    }

    private static AppendResult AppendOne(IJournalTables tables, PreparedAppend prepared, DateTimeOffset time, bool fencing, ref bool changed)
    {
        TaskAppend append = prepared.Append;
        TaskHead? head = tables.FindTask(append.Task);
        long last = head?.LastSequence ?? 0;

        // First of all the record: an append that got no answer is sent again, perhaps after the shard went to another owner.
        // It was written after its expected sequence or not at all, so only events after that are looked at: none, as a rule.
        if (head is not null && last > append.ExpectedSequence &&
            tables.FindAppend(head, append.ExpectedSequence, append.AppendId) is { } written)
        {
            return new AppendAccepted(written);
        }

        ShardRow shard = tables.ReadShard(head?.Shard ?? append.Shard);
        if (fencing && (shard.Owner == 0 || shard.Owner != append.Owner || shard.Term != append.Term))
        {
            return new AppendFenced(shard.Owner, shard.Term);
        }

        // Without fencing (a test switch) a writer that was overtaken goes on behind the events that it has not seen.
        if (last != append.ExpectedSequence && (fencing || head is null))
        {
            return new AppendConflict(last);
        }

        if (head is null && tables.FindName(append.Summary.Name) is { } owner)
        {
            return new AppendNameTaken(owner.Task, owner.SpecHash);
        }

        long sequence = last + append.Events.Count;
        tables.WriteAppend(head, prepared, sequence, time);
        changed |= head is null || head.Planning != PlanningFields.Of(append.Summary);
        return new AppendAccepted(sequence);
    }

    private static ClaimReply Claim(IJournalTables tables, ClaimRequest request)
    {
        var heads = new List<TaskHead>();
        var fenced = new List<ShardRow>();
        foreach (ShardTerm asked in request.Shards)
        {
            ShardRow row = tables.ReadShard(asked.Shard);
            if (row.Owner == 0 || row.Owner != request.Owner || row.Term != asked.Term)
            {
                fenced.Add(row);
                continue;
            }

            heads.AddRange(tables.ReadUnfinished(asked.Shard));
        }

        heads.Sort(static (a, b) =>
        {
            int byPriority = b.Planning.Priority.CompareTo(a.Planning.Priority);
            return byPriority != 0 ? byPriority : a.Task.CompareTo(b.Task);
        });
        return new ClaimReply([.. heads.Select(head => Load(tables, head, request.FoldVersion))], fenced);
    }

    private static ClaimedTask Load(IJournalTables tables, TaskHead head, int? foldVersion)
    {
        TaskSnapshotRow? snapshot = tables.ReadSnapshot(head);
        if (snapshot is not null && foldVersion is not null && snapshot.FoldVersion != foldVersion)
        {
            snapshot = null;
        }

        IReadOnlyList<EventRow> rows = tables.ReadEvents(head, snapshot?.Sequence ?? 0, int.MaxValue);
        return new ClaimedTask(head.Task, snapshot, [.. rows.Select(row => row.Event)], head.LastSequence);
    }

    private static ReadClusterReply ReadCluster(IJournalTables tables, ReadClusterRequest request)
    {
        long version = tables.ReadVersion();
        bool known = version == request.KnownVersion;
        IReadOnlyList<ShardRow> shards = known ? [] : tables.ReadShards();
        IReadOnlyList<TaskSummary> tasks = known ? [] : tables.ReadUnfinishedSummaries();
        return new ReadClusterReply(new ClusterRows(version, tables.ReadLease(), tables.ReadMembers(), shards, tasks));
    }

    private static ListEventsReply ListEvents(IJournalTables tables, ListEventsRequest request) =>
        tables.FindTask(request.Task) is { } head && request.Limit > 0
            ? new ListEventsReply(tables.ReadEvents(head, request.AfterSequence, request.Limit))
            : new ListEventsReply([]);
}
