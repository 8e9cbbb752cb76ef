using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>What the parts of the loop share: the present moment, the newest view and rows, and the way out.</summary>
internal sealed class NodeContext(NodeModel model, long self, NodeAddress address)
{
    private readonly Dictionary<long, Action<JournalReply>> _questions = [];
    private List<NodeEffect> _outbox = [];
    private long _lastNumber;

    public NodeModel Model { get; } = model;

    public long Self { get; } = self;

    public NodeAddress Address { get; } = address;

    public TimeSpan Now { get; private set; }

    public DeterministicRandom Random { get; private set; } = new(0);

    public MembershipView View { get; set; } = new(0, self, [], []);

    public ClusterRows Rows { get; set; } = ClusterRows.Empty;

    /// <summary>When the journal last answered anything.</summary>
    public TimeSpan JournalHeardAt { get; private set; }

    /// <summary>Since when the journal has answered without a longer silence.</summary>
    public TimeSpan JournalSteadySince { get; private set; }

    public bool Draining { get; set; }

    public bool Ended { get; set; }

    public void Begin(TimeSpan now, DeterministicRandom random)
    {
        Now = now;
        Random = random;
    }

    public IReadOnlyList<NodeEffect> TakeOutbox()
    {
        List<NodeEffect> effects = _outbox;
        _outbox = [];
        return effects;
    }

    public long NextNumber() => ++_lastNumber;

    public void Do(NodeEffect effect) => _outbox.Add(effect);

    public void Say(string text, NoticeLevel level = NoticeLevel.Info) => Do(new Notice(level, text));

    public void Ask(JournalRequest request, Action<JournalReply> then)
    {
        long question = NextNumber();
        _questions[question] = then;
        Do(new AskJournal(question, request));
    }

    public void Answered(long question, JournalReply reply)
    {
        if (reply is not JournalFailed)
        {
            JournalSteadySince = Now - JournalHeardAt > Model.Sharding.LeaseTimeout ? Now : JournalSteadySince;
            JournalHeardAt = Now;
        }

        if (_questions.Remove(question, out Action<JournalReply>? then))
        {
            then(reply);
        }
    }

    public void Tell(NodeAddress to, NodeMessage message) => Do(new TellPeer(to, message));

    /// <summary>Tells every other member that is not known to be gone.</summary>
    public void TellAll(NodeMessage message)
    {
        foreach (MemberRow member in Rows.Members)
        {
            if (member.Incarnation != Self && IsAlive(member))
            {
                Tell(member.Address, message);
            }
        }
    }

    /// <summary>Takes over rows that a write just returned; older ones than what is known are passed over.</summary>
    public void Merge(IReadOnlyList<ShardRow> changed)
    {
        if (Rows.Shards.Count == 0 || changed.Count == 0)
        {
            return;
        }

        ShardRow[] shards = [.. Rows.Shards];
        foreach (ShardRow row in changed)
        {
            if (row.Shard < shards.Length && row.Term > shards[row.Shard].Term)
            {
                shards[row.Shard] = row;
            }
        }

        Rows = Rows with { Shards = shards };
    }

    public MemberRow? Row(long incarnation)
    {
        foreach (MemberRow member in Rows.Members)
        {
            if (member.Incarnation == incarnation)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>A member that neither the journal nor gossip has given up.</summary>
    public bool IsAlive(MemberRow member) =>
        member.Status is MemberStatus.Up or MemberStatus.Joining or MemberStatus.Leaving &&
        View.Find(member.Incarnation)?.State is not (MemberState.Down or MemberState.Removed);

    /// <summary>The nodes as allocation sees them.</summary>
    public IReadOnlyList<NodeCapacity> Capacities()
    {
        List<NodeCapacity> nodes = [];
        foreach (MemberRow member in Rows.Members)
        {
            if (!IsAlive(member) || member.Status == MemberStatus.Joining)
            {
                continue;
            }

            MemberState? state = View.Find(member.Incarnation)?.State;
            bool reachable = member.Incarnation == Self || state is MemberState.Up or MemberState.Joining;
            bool leaving = member.Status == MemberStatus.Leaving || state == MemberState.Leaving;
            nodes.Add(new NodeCapacity(member.Incarnation, member.Slots, reachable && !leaving && !member.Cordoned, leaving));
        }

        return nodes;
    }

    /// <summary>Unfinished tasks as allocation sees them.</summary>
    public IReadOnlyList<TaskDemand> Demands()
    {
        List<TaskDemand> demands = [];
        foreach (TaskSummary task in Rows.Tasks)
        {
            demands.Add(new TaskDemand(
                task.Task,
                task.Shard,
                task.Priority,
                task.IsRunnable ? task.Slots : 0,
                task.Status is Tasks.TaskStatus.Pending or Tasks.TaskStatus.Retrying,
                task.AvoidIncarnation,
                task.Alone));
        }

        return demands;
    }

    /// <summary>Owner of each shard that has one.</summary>
    public Dictionary<int, long> Owners()
    {
        Dictionary<int, long> owners = [];
        foreach (ShardRow row in Rows.Shards)
        {
            if (row.Owner != 0)
            {
                owners[row.Shard] = row.Owner;
            }
        }

        return owners;
    }
}
