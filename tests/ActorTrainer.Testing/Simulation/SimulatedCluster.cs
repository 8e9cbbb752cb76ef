using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using Shouldly;

namespace ActorTrainer.Testing.Simulation;

/// <summary>
/// Nodes of the production loop under a virtual clock, in one thread, driven by a seed: the same seed gives the same run. It checks as it
/// goes that no acknowledged checkpoint is lost and that no event of an old term is accepted.
/// </summary>
public sealed class SimulatedCluster
{
    private readonly PriorityQueue<Action, (TimeSpan Time, long Number)> _heap = new();
    private readonly List<(TaskId Task, string Checkpoint)> _acknowledged = [];
    private readonly HashSet<SimulatedNode> _withoutJournal = [];
    private long _number;
    private ulong _trace = 14695981039346656037UL;

    /// <summary>Makes nodes named n1, n2 … at 10.0.0.1 … that all name the first as seed; none is started.</summary>
    public SimulatedCluster(ulong seed, int nodes, int slots = 4, Func<NodeModel, NodeModel>? configure = null)
    {
        Seed = seed;
        Random = new DeterministicRandom(seed);
        Journal = new MemoryJournal(64, new VirtualClock(this));
        Network = new SimulatedNetwork(this);
        NodeAddress[] seeds = [.. Enumerable.Range(1, nodes).Select(i => new NodeAddress($"10.0.0.{i}", 7400))];
        Nodes =
        [
            .. seeds.Select((address, i) =>
            {
                NodeModel model = new()
                {
                    NodeName = $"n{i + 1}",
                    Address = address,
                    Slots = slots,
                    SeedNodes = seeds,
                    Sharding = new ShardingModel { NumberOfShards = 64 },
                };
                return new SimulatedNode(this, configure?.Invoke(model) ?? model);
            }),
        ];
    }

    /// <summary>The seed of this run; printed by a failing wait.</summary>
    public ulong Seed { get; }

    /// <summary>Virtual time since the beginning.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<SimulatedNode> Nodes { get; }

    /// <summary>The journal that all nodes share.</summary>
    public MemoryJournal Journal { get; }

    /// <summary>The checkpoint store that all nodes share.</summary>
    public SimulatedStore Store { get; } = new();

    /// <summary>The network between the nodes.</summary>
    public SimulatedNetwork Network { get; }

    /// <summary>Part of the journal's answers that are lost, half of them after the write was done; 0 to 1.</summary>
    public double JournalLoss { get; set; }

    /// <summary>A number that two runs of one seed share.</summary>
    public ulong Trace => _trace;

    internal DeterministicRandom Random { get; }

    /// <summary>Starts all nodes and waits until every node is up and owns shards, and every shard has an owner.</summary>
    public void StartAll()
    {
        foreach (SimulatedNode node in Nodes)
        {
            node.Start();
        }

        RunUntil("every node is up and every shard has an owner", () =>
        {
            ClusterRows rows = Rows();
            return rows.Members.Count(m => m.Status == MemberStatus.Up) == Nodes.Count && rows.Shards.All(s => s.Owner != 0) &&
                rows.Shards.Select(s => s.Owner).Distinct().Count() == Nodes.Count;
        });
    }

    /// <summary>The rows of ownership.</summary>
    public ClusterRows Rows() => ((ReadClusterReply)Journal.Execute(new ReadClusterRequest(-1))).Rows;

    /// <summary>The read model of a task.</summary>
    public TaskSummary Task(TaskId task) => ((ListTasksReply)Journal.Execute(new ListTasksRequest(Task: task))).Tasks.Single().Summary;

    /// <summary>The events of a task.</summary>
    public IReadOnlyList<EventRow> Events(TaskId task) => ((ListEventsReply)Journal.Execute(new ListEventsRequest(task, 0, 100_000))).Events;

    /// <summary>Submits a task through a node and waits for its answer.</summary>
    public TaskId Submit(SimulatedNode node, TaskSpec spec)
    {
        CommandReply? reply = null;
        node.Submit(spec, spec.Name, r => reply = r);
        RunUntil($"{spec.Name} is submitted", () => reply is not null);
        return reply.ShouldBeOfType<CommandAccepted>().Task;
    }

    /// <summary>Sends a command through a node and waits for its answer.</summary>
    public CommandReply Command(SimulatedNode node, TaskId task, TaskCommand command)
    {
        CommandReply? reply = null;
        node.Command(task, command, r => reply = r);
        RunUntil($"{command} is answered", () => reply is not null);
        return reply!;
    }

    /// <summary>Cordons, uncordons or drains a node, by a command that another may have taken, and waits for the answer.</summary>
    public CommandReply NodeCommand(SimulatedNode via, SimulatedNode node, NodeCommandKind kind)
    {
        CommandReply? reply = null;
        via.NodeCommand(node.Model.Address, kind, r => reply = r);
        RunUntil($"{kind} of {node.Model.NodeName} is answered", () => reply is not null);
        return reply!;
    }

    /// <summary>The journal does not answer a node any more; its life lock stays with it.</summary>
    public void CutJournal(SimulatedNode node) => _withoutJournal.Add(node);

    /// <summary>The journal answers a node again.</summary>
    public void MendJournal(SimulatedNode node) => _withoutJournal.Remove(node);

    /// <summary>Runs for some virtual time.</summary>
    public void RunFor(TimeSpan time)
    {
        TimeSpan end = Now + time;
        while (_heap.TryPeek(out _, out (TimeSpan Time, long Number) next) && next.Time <= end)
        {
            StepOnce();
        }

        Now = end;
    }

    /// <summary>Runs until a condition holds; fails the test with seed, time and notices when it does not within the limit (2 min).</summary>
    public void RunUntil(string what, Func<bool> condition, TimeSpan? limit = null)
    {
        TimeSpan end = Now + (limit ?? TimeSpan.FromMinutes(2));
        TimeSpan look = Now;
        while (true)
        {
            if (Now >= look)
            {
                look = Now + TimeSpan.FromMilliseconds(20);
                if (condition())
                {
                    return;
                }
            }

            if (Now >= end || !_heap.TryPeek(out _, out _))
            {
                string notices = string.Join('\n', Nodes.SelectMany(n => n.Notices).Order(StringComparer.Ordinal).TakeLast(60));
                throw new ShouldAssertException($"seed {Seed}: not within {limit ?? TimeSpan.FromMinutes(2)}: {what}\n{notices}");
            }

            StepOnce();
        }
    }

    internal bool HasJournal(SimulatedNode node) => !_withoutJournal.Contains(node);

    internal SimulatedNode? At(NodeAddress address) => Nodes.FirstOrDefault(n => n.Model.Address == address);

    internal long NextNumber() => ++_number;

    internal void After(TimeSpan delay, Action act) => _heap.Enqueue(act, (Now + delay, ++_number));

    internal void AskJournal(SimulatedNode node, JournalRequest request, Action<JournalReply> reply)
    {
        if (!HasJournal(node))
        {
            After(TimeSpan.FromMilliseconds(200), () => reply(new JournalFailed("cannot be reached")));
            return;
        }

        bool lost = JournalLoss > 0 && Random.NextDouble() < JournalLoss;
        bool before = lost && Random.NextDouble() < 0.5;
        TimeSpan there = TimeSpan.FromMilliseconds(1 + (3 * Random.NextDouble()));
        TimeSpan back = TimeSpan.FromMilliseconds(1 + (3 * Random.NextDouble()));
        After(there, () =>
        {
            JournalReply answer = before ? new JournalFailed("lost on the way there") : Journal.Execute(request);
            Acknowledge(request, lost ? null : answer);
            After(back, () => reply(lost ? new JournalFailed("lost on the way") : answer));
        });
    }

    /// <summary>A worker did a step.</summary>
    internal void Observe(RunKey run, long step) =>
        _trace = (_trace ^ (ulong)step ^ ((ulong)run.Run << 32) ^ ((ulong)Now.Ticks << 8)) * 1099511628211UL;

    /// <summary>
    /// Checks what the journal holds: consecutive sequences, terms that never fall, every acknowledged checkpoint there, and every start from
    /// the newest checkpoint that was usable then.
    /// </summary>
    public void CheckInvariants()
    {
        Journal.CountDoubleWriters().ShouldBe(0, $"seed {Seed}");
        foreach (TaskListing listing in ((ListTasksReply)Journal.Execute(new ListTasksRequest())).Tasks)
        {
            IReadOnlyList<EventRow> events = Events(listing.Summary.Task);
            events.Select(e => e.Sequence).ShouldBe(Enumerable.Range(1, events.Count).Select(i => (long)i), $"seed {Seed}");
            CheckStarts(events);
        }

        foreach ((TaskId task, string checkpoint) in _acknowledged)
        {
            Events(task).ShouldContain(e => e.Event is TaskCheckpointed && ((TaskCheckpointed)e.Event).Checkpoint.Name == checkpoint, $"seed {Seed}: {task}");
        }
    }

    /// <summary>Checks, once faults have stopped, that every worker belongs to the node that owns its task, under the term that rules.</summary>
    public void CheckWorkers()
    {
        ClusterRows rows = Rows();
        foreach (SimulatedNode node in Nodes)
        {
            foreach (RunKey run in node.Workers)
            {
                ShardRow row = rows.Shards[ShardMap.ShardOf(run.Task, rows.Shards.Count)];
                (row.Owner, row.Term).ShouldBe((node.Incarnation, run.Term), $"seed {Seed}: the owner of {run}");
            }
        }
    }

    private void CheckStarts(IReadOnlyList<EventRow> events)
    {
        List<CheckpointRef> usable = [];
        foreach (EventRow row in events)
        {
            switch (row.Event)
            {
                case TaskCheckpointed checkpointed:
                    usable.Add(checkpointed.Checkpoint);
                    break;
                case TaskCheckpointDamaged damaged:
                    usable.RemoveAll(c => c.Name == damaged.Checkpoint);
                    break;
                case TaskStarted started:
                    (started.RestoredFrom ?? "nothing").ShouldBe(usable.Count == 0 ? "nothing" : usable[^1].Name, $"seed {Seed}: {row.Task} run {started.Run}");
                    break;
            }
        }
    }

    private void Acknowledge(JournalRequest request, JournalReply? answer)
    {
        if (request is not AppendRequest append || answer is not AppendReply reply)
        {
            return;
        }

        for (int i = 0; i < append.Appends.Count; i++)
        {
            if (reply.Results[i] is AppendAccepted)
            {
                _acknowledged.AddRange(append.Appends[i].Events.OfType<TaskCheckpointed>().Select(e => (append.Appends[i].Task, e.Checkpoint.Name)));
            }
        }
    }

    private void StepOnce()
    {
        _heap.TryDequeue(out Action? act, out (TimeSpan Time, long Number) key);
        Now = key.Time > Now ? key.Time : Now;
        act!();
    }

    private sealed class VirtualClock(SimulatedCluster cluster) : TimeProvider
    {
        private static readonly DateTimeOffset Beginning = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Beginning + cluster.Now;
    }
}
