using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;

namespace ActorTrainer.Cluster;

/// <summary>Brings what clients ask to tasks and nodes, wherever they are, and reads the lists for them.</summary>
internal sealed class TaskDesk(NodeModel model, AkkaLife life, AkkaDatabase database, TimeProvider time)
{
    private const int Draws = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(200);

    private readonly JournalReader _reader = new(life, database, time);
    private readonly DeterministicRandom _random = new(
        BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private readonly Lock _drawing = new();
    private volatile KnownRows? _known;

    /// <summary>Submits a task: its name stands for one id for ever, and the task itself says whether it is the same.</summary>
    public async Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken)
    {
        if (!PlacementInputs.Capacities(life.Sight).Any(n => n.Accepts) && !await BecomesReadyAsync(cancellationToken))
        {
            return new CommandUnavailable("no node is ready to take tasks; see 'actortrainer cluster show'");
        }

        string hash = TaskSpecHash.Compute(spec);
        TaskId task;
        try
        {
            task = life.Index.Find(spec.Name)?.Summary.Task
                ?? await life.RowWriter.TakeNameAsync(new NameClaim(Draw(spec.Name), spec, hash, time.GetUtcNow()), cancellationToken);
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
        {
            return new CommandUnavailable($"the journal does not answer: {e.Message}");
        }

        return await AskTaskAsync(task, new SubmitTask(spec, hash), cancellationToken);
    }

    /// <summary>Asks a task's owner.</summary>
    public Task<CommandReply> AskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken) =>
        command is MigrateTask migrate ? MigrateAsync(task, migrate, cancellationToken) : AskTaskAsync(task, command, cancellationToken);

    /// <summary>Asks another node.</summary>
    public async Task<CommandReply> AskNodeAsync(NodeAddress node, NodeCommandKind kind, CancellationToken cancellationToken)
    {
        ClusterSight sight = life.Sight;
        if (Living(sight).LastOrDefault(p => p.Row.Address == node) is not { } place)
        {
            return new CommandRefused(
                $"there is no living node at {node}; the members are {string.Join(", ", Living(sight).Select(p => p.Row.Address))}", NotFound: true);
        }

        try
        {
            TaskAnswer answer = await NodeAt(place).Ask<TaskAnswer>(new NodeRequest(kind), Patience, cancellationToken);
            return answer.Reply;
        }
        catch (AskTimeoutException)
        {
            return new CommandUnavailable("the node did not answer within 10 s");
        }
    }

    /// <summary>Answers what the port promises to read.</summary>
    public Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken) => _reader.ReadAsync(request, cancellationToken);

    /// <summary>Members, shards with their owners and unfinished tasks as this node knows them; made once for each change.</summary>
    public ClusterRows Rows()
    {
        ClusterSight sight = life.Sight;
        long version = life.Index.Version;
        KnownRows? known = _known;
        if (known?.Rows.Version != version || !ReferenceEquals(known.Sight, sight))
        {
            _known = known = new KnownRows(sight, RowsOf(sight, version));
        }

        return known.Rows;
    }

    private ClusterRows RowsOf(ClusterSight sight, long version)
    {
        IReadOnlyList<TaskRow> tasks = life.Index.All;
        Dictionary<int, ShardRow> owned = [];
        foreach (TaskRow row in tasks.Where(t => t.Owner != 0))
        {
            int shard = row.Summary.Shard;
            ShardRow known = owned.GetValueOrDefault(shard);
            owned[shard] = new ShardRow(shard, Math.Max(known.Owner, row.Owner), Math.Max(known.Term, row.Term));
        }

        return new ClusterRows(
            version,
            new LeaseRow(sight.Coordinator, 0, 0),
            [.. sight.Places.Select(p => p.Row)],
            [.. Enumerable.Range(0, model.Sharding.NumberOfShards).Select(i => owned.GetValueOrDefault(i, new ShardRow(i, 0, 0)))],
            [.. tasks.Where(t => t.Sequence > 0).Select(t => t.Summary)])
        {
            OwnedOnUse = true,
        };
    }

    private async Task<bool> BecomesReadyAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < Patience)
        {
            await Task.Delay(AgainAfter, time, cancellationToken);
            if (PlacementInputs.Capacities(life.Sight).Any(n => n.Accepts))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An id whose shard has as few unfinished tasks as can be, so that one task's move does not interrupt a neighbour.</summary>
    private TaskId Draw(string name)
    {
        lock (_drawing)
        {
            TaskId best = TaskId.Draw(name, _random);
            int fewest = CountBeside(best);
            for (int i = 1; i < Draws && fewest > 0; i++)
            {
                TaskId task = TaskId.Draw(name, _random);
                if (CountBeside(task) is int count && count < fewest)
                {
                    (best, fewest) = (task, count);
                }
            }

            return best;
        }
    }

    private int CountBeside(TaskId task) => life.Index.CountIn(ShardMap.ShardOf(task, model.Sharding.NumberOfShards));

    private async Task<CommandReply> AskTaskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        CommandReply? last = null;
        while (Patience - time.GetElapsedTime(started) is { Ticks: > 0 } left)
        {
            try
            {
                TaskAnswer answer = await life.Region.Ask<TaskAnswer>(new TaskRequest(task, command), left, cancellationToken);
                _reader.Acknowledge(task, answer.Sequence);
                if (answer.Reply is not CommandUnavailable)
                {
                    return answer.Reply;
                }

                last = answer.Reply;
            }
            catch (AskTimeoutException)
            {
                break;
            }

            // It moves, or has just been put to rest: its next owner answers.
            await Task.Delay(AgainAfter, time, cancellationToken);
        }

        return last ?? new CommandUnavailable(
            $"no node answered for task {task} within 10 s; ask again when the cluster has settled ('actortrainer cluster show')");
    }

    private async Task<CommandReply> MigrateAsync(TaskId task, MigrateTask command, CancellationToken cancellationToken)
    {
        TaskRow? row = life.Index.Find(task);
        if (row is null)
        {
            // Newer than what this node has read, perhaps.
            await life.ReadRowsAsync(cancellationToken);
            row = life.Index.Find(task);
        }

        if (row is null)
        {
            // It has ended, or never was: the task says which.
            return await AskTaskAsync(task, command, cancellationToken);
        }

        ClusterSight sight = life.Sight;
        MoveTarget target = MoveTarget.Choose(
            task,
            row.Summary.Slots,
            row.Owner,
            command.To,
            [.. Living(sight).Select(p => p.Row)],
            PlacementInputs.Capacities(sight),
            life.Index.All.GroupBy(t => t.Summary.Shard).ToDictionary(shard => shard.Key, shard => shard.Max(t => t.Owner)),
            [.. life.Index.All.Select(t => TaskDemand.Of(t.Summary))],
            model.Sharding.Allocation);
        if (target.Refusal is not null)
        {
            return target.Refusal;
        }

        CommandReply reply = await AskTaskAsync(task, command, cancellationToken);
        if (reply is CommandAccepted)
        {
            foreach (MemberPlace member in Living(sight))
            {
                NodeAt(member).Tell(new MoveShard(row.Summary.Shard, target.To));
            }
        }

        return reply;
    }

    private static IEnumerable<MemberPlace> Living(ClusterSight sight) => sight.Places.Where(p => sight.Living.Contains(p.Row.Incarnation));

    private ActorSelection NodeAt(MemberPlace place) => life.System.ActorSelection($"{place.AkkaAddress}/user/{NodeActor.Name}");

    private sealed record KnownRows(ClusterSight Sight, ClusterRows Rows);
}
