using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Tests.Placement;

/// <summary>
/// A cluster in miniature that carries out what the planner says: nodes with slots given as <see cref="SlotPolicy"/> gives them, tasks that
/// run or wait, and Akka's two steps for a move. Time goes on only when told.
/// </summary>
internal sealed class PlacementWorld
{
    public static readonly HashSet<int> NothingMoves = [];

    private readonly SortedDictionary<long, NodeCapacity> _nodes = [];
    private readonly SortedDictionary<string, TaskDemand> _tasks = [];
    private readonly SortedDictionary<string, TimeSpan> _startedAt = [];

    public PlacementWorld(ShardingModel? model = null) => Planner = new PlacementPlanner(model ?? new ShardingModel());

    public PlacementPlanner Planner { get; }

    /// <summary>Whether the planner is handed its lists the other way round.</summary>
    public bool Reversed { get; init; }

    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    public Dictionary<int, long> Owners { get; } = [];

    /// <summary>Every move that was carried out: when, and how long the youngest run had lasted that it interrupted; null: none.</summary>
    public List<(TimeSpan At, ShardMove Move, TimeSpan? Interrupted)> Moves { get; } = [];

    public IEnumerable<TaskDemand> Tasks => _tasks.Values;

    public IReadOnlyCollection<NodeCapacity> Nodes => _nodes.Values;

    public TaskDemand Task(string name) => _tasks[name];

    public void Join(long life, int slots = 4) => SetNode(new NodeCapacity(life, slots, Accepts: true, MustEmpty: false));

    public void SetNode(NodeCapacity node)
    {
        _nodes[node.Incarnation] = node;
        Planner.SetNodes([.. Reversed ? _nodes.Values.Reverse() : _nodes.Values]);
    }

    public void Drain(long life) => SetNode(_nodes[life] with { Accepts = false, MustEmpty = true });

    /// <summary>A node leaves the list; its shards have no owner.</summary>
    public void Kill(long life)
    {
        _nodes.Remove(life);
        Planner.SetNodes([.. Reversed ? _nodes.Values.Reverse() : _nodes.Values]);
        int[] lost = [.. Owners.Where(o => o.Value == life).Select(o => o.Key)];
        foreach (int shard in lost)
        {
            Owners.Remove(shard);
        }

        Planner.SetOwners(Reversed ? new Dictionary<int, long>(Owners.OrderByDescending(o => o.Key)) : Owners);
        foreach (int shard in lost.Order())
        {
            AllocateIfNeeded(shard);
        }

        Run();
    }

    public void Submit(TaskDemand task)
    {
        _tasks[task.Task.Value] = task with { Waiting = task.Slots > 0 };
        Planner.Show(_tasks[task.Task.Value], Now);
        AllocateIfNeeded(task.Shard);
        Run();
    }

    public void Finish(string name)
    {
        Planner.Remove(_tasks[name].Task);
        _tasks.Remove(name);
        Run();
    }

    /// <summary>Shows that tasks have got on, one step a second.</summary>
    public void Pass(TimeSpan time)
    {
        Now += time;
        foreach (TaskDemand task in Tasks.Where(t => t.Runs).ToArray())
        {
            Show(task with { Step = task.Step + (long)time.TotalSeconds });
        }
    }

    /// <summary>One look of the coordinator: moves begin, shards are handed over and given. Returns what moved.</summary>
    public IReadOnlyList<ShardMove> Rebalance()
    {
        foreach (int shard in Tasks.Select(t => t.Shard).Distinct().Where(s => !Owners.ContainsKey(s)).ToArray())
        {
            AllocateIfNeeded(shard);
        }

        Planner.SetOwners(Reversed ? new Dictionary<int, long>(Owners.OrderByDescending(o => o.Key)) : Owners);
        IReadOnlyList<ShardMove> plan = Planner.BeginMoves(NothingMoves, Now);
        foreach (ShardMove move in plan)
        {
            Owners[move.Shard].ShouldBe(move.From, "a move is taken from who has the shard");
            TimeSpan[] runs = [.. Tasks.Where(t => t.Shard == move.Shard && t.Runs).Select(t => Now - _startedAt[t.Task.Value])];
            Moves.Add((Now, move, runs.Length == 0 ? null : runs.Min()));
            Stop(move.Shard);
            Owners.Remove(move.Shard);
        }

        foreach (ShardMove move in plan)
        {
            Give(move.Shard).ShouldBe(move.To, $"what was planned is given: {move}");
        }

        Run();
        return plan;
    }

    /// <summary>Looks until nothing is left to move; fails when that does not come about.</summary>
    public void Settle(int atMost = 64)
    {
        for (int i = 0; i < atMost; i++)
        {
            if (Rebalance().Count == 0)
            {
                return;
            }
        }

        throw new InvalidOperationException($"still moving after {atMost} looks: {string.Join('\n', Moves.TakeLast(8))}");
    }

    public long OwnerOf(TaskDemand task) => Owners.GetValueOrDefault(task.Shard);

    public long OwnerOf(string name) => OwnerOf(_tasks[name]);

    public int Running(long life) => Tasks.Where(t => t.Runs && OwnerOf(t) == life).Sum(t => t.Slots);

    public static TaskDemand New(int shard, int slots = 1, int priority = 0) =>
        new(TaskId.Parse($"t-{shard}"), shard, priority, slots, Waiting: true, 0, Alone: false);

    /// <summary>Nodes of four slots, all of them taken by tasks of one.</summary>
    public static PlacementWorld Full(int nodes)
    {
        PlacementWorld world = new();
        for (int life = 1; life <= nodes; life++)
        {
            world.Join(life);
        }

        for (int i = 1; i <= 4 * nodes; i++)
        {
            world.Submit(New(i));
        }

        return world;
    }

    private long Give(int shard)
    {
        long to = Planner.Allocate(shard, Now);
        if (to != 0)
        {
            Owners[shard] = to;
        }

        return to;
    }

    private void AllocateIfNeeded(int shard)
    {
        if (!Owners.ContainsKey(shard))
        {
            Stop(shard);
            Give(shard);
        }
    }

    private void Stop(int shard)
    {
        foreach (TaskDemand task in Tasks.Where(t => t.Shard == shard && t.Runs).ToArray())
        {
            Show(task with { Waiting = true });
        }
    }

    /// <summary>Every node gives its free slots.</summary>
    private void Run()
    {
        foreach (NodeCapacity node in Nodes.Where(n => !n.MustEmpty))
        {
            TaskDemand[] here = [.. Tasks.Where(t => OwnerOf(t) == node.Incarnation)];
            SlotUsage usage = new(Running(node.Incarnation), 0, here.Any(t => t.Runs), here.Any(t => t.Runs && t.Alone));
            SlotCandidate[] waiting =
            [
                .. here.Where(t => t is { Waiting: true, Slots: > 0 }).Select(t => new SlotCandidate(t.Task, t.Priority, t.Slots, t.Alone)),
            ];
            foreach (TaskId task in SlotPolicy.Grant(waiting, usage, node.Slots, int.MaxValue))
            {
                TaskDemand granted = _tasks[task.Value];
                _startedAt[task.Value] = Now;
                Show(granted with { Waiting = false, Run = granted.Run + 1, On = node.Incarnation });
            }
        }
    }

    private void Show(TaskDemand task)
    {
        _tasks[task.Task.Value] = task;
        Planner.Show(task, Now);
    }
}
