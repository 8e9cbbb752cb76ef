using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Journaling;

/// <summary>Rows and requests for tests of journals.</summary>
public static class JournalSamples
{
    /// <summary>A life at an address, as a node registers it.</summary>
    public static MemberRow Member(int port, MemberStatus status = MemberStatus.Up) =>
        new(0, new NodeAddress("127.0.0.1", port), $"node-{port}", ["gpu", "train"], 4, status, false, 4000 + port, "0.1.0");

    /// <summary>A read model.</summary>
    public static TaskSummary Summary(string task, int shard, TaskStatus status = TaskStatus.Pending, int priority = 0, string? name = null) =>
        new(
            TaskId.Parse(task), name ?? task, $"hash-of-{task}", shard, null, 0, status, priority, 1, "waits for a node", TaskProgress.None,
            null, 0, 0, null, 0, false, null);

    /// <summary>The first event of a task.</summary>
    public static TaskSubmitted Submitted(string name) => new(new TaskSpec { Name = name, Command = ["python3", "train.py"] });

    /// <summary>An event of progress.</summary>
    public static TaskProgressed Progressed(long step) =>
        new(new TaskProgress(step, 100, step / 10.0, new Dictionary<string, double> { ["loss"] = 1.0 / (step + 1) }));

    /// <summary>A checkpoint as an event names it.</summary>
    public static CheckpointRef Checkpoint(string name, long step = 10) =>
        new(name, step, 1.5, "epoch", 1000, 800, [$"p-{name}"], "ab12", new Dictionary<string, double> { ["loss"] = 0.5 });

    /// <summary>One task's part of an append.</summary>
    public static TaskAppend Part(string task, ShardRow shard, long expected, string appendId, params TaskEvent[] events) =>
        new(TaskId.Parse(task), shard.Shard, expected, shard.Owner, shard.Term, appendId, events, Summary(task, shard.Shard));

    /// <summary>Sends a request and expects an answer of a kind.</summary>
    public static async Task<T> AskAsync<T>(this IJournal journal, JournalRequest request)
        where T : JournalReply =>
        (await journal.SendAsync(request, CancellationToken.None)).ShouldBeOfType<T>();

    /// <summary>Sends one part and gives its result.</summary>
    public static async Task<AppendResult> AppendAsync(this IJournal journal, TaskAppend part) =>
        (await journal.AskAsync<AppendReply>(new AppendRequest([part]))).Results.ShouldHaveSingleItem();

    /// <summary>Registers a life at an address and gives its number.</summary>
    public static async Task<long> RegisterAsync(this IJournal journal, int port, MemberStatus status = MemberStatus.Up) =>
        (await journal.AskAsync<RegisterReply>(new RegisterRequest(Member(port, status)))).Incarnation;

    /// <summary>Takes the lease, whoever holds it, and gives its row.</summary>
    public static async Task<LeaseRow> TakeLeaseAsync(this IJournal journal, long holder)
    {
        LeaseRow seen = (await journal.ReadAsync()).Lease;
        LeaseReply reply = await journal.AskAsync<LeaseReply>(new TakeRequest(holder, seen.Beat));
        reply.Accepted.ShouldBeTrue();
        return reply.Lease;
    }

    /// <summary>Gives a shard to an owner by a lease taken for it, and returns the row.</summary>
    public static async Task<ShardRow> GiveAsync(this IJournal journal, int shard, long owner)
    {
        LeaseRow lease = await journal.TakeLeaseAsync(owner);
        long term = (await journal.ReadAsync()).Shards[shard].Term;
        AssignReply reply = await journal.AskAsync<AssignReply>(
            new AssignRequest(owner, lease.Term, [new ShardAssignment(shard, term, owner)]));
        ShardRow row = reply.Rows.ShouldHaveSingleItem();
        row.ShouldBe(new ShardRow(shard, owner, term + 1));
        return row;
    }

    /// <summary>Reads all rows that decide ownership.</summary>
    public static async Task<ClusterRows> ReadAsync(this IJournal journal, long knownVersion = -1) =>
        (await journal.AskAsync<ReadClusterReply>(new ReadClusterRequest(knownVersion))).Rows;

    /// <summary>Reads a task's events.</summary>
    public static async Task<IReadOnlyList<EventRow>> EventsAsync(this IJournal journal, string task) =>
        (await journal.AskAsync<ListEventsReply>(new ListEventsRequest(TaskId.Parse(task), 0, int.MaxValue))).Events;
}
