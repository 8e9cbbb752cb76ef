using ActorTrainer.Checkpoints;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;

namespace ActorTrainer.Cluster;

/// <summary>
/// Brings what clients ask to tasks and nodes, wherever they are. It lives as long as the node: each of the node's lives in the cluster is
/// put behind it when it begins, and taken away when another follows.
/// </summary>
/// <param name="model">The node's configuration.</param>
/// <param name="time">The clock.</param>
/// <param name="problemOf">Says what is wrong with a task that is submitted at this node, or null.</param>
/// <param name="store">Where checkpoints are.</param>
public sealed partial class TaskClient(
    NodeModel model,
    TimeProvider time,
    Func<TaskSpec, CancellationToken, Task<string?>> problemOf,
    ICheckpointStore store
) : ITaskClient
{
    private const int Draws = 64;
    private const string NotYet = "this node has just been started and is not in the cluster yet";
    internal const string BetweenLives = "this node was taken out of the cluster and is on its way back into it";
    private const string Leaving = "this node is leaving";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan DrainMargin = TimeSpan.FromSeconds(5);

    private readonly DeterministicRandom _random = new(
        BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)))
    );
    private readonly Lock _drawing = new();
    private volatile ClusterSession? _session;
    private volatile string _away = NotYet;
    private volatile KnownView? _known;

    /// <inheritdoc />
    public string ClusterName => model.ClusterName;

    /// <inheritdoc />
    public JournalIdentity? Journal { get; internal set; }

    /// <inheritdoc />
    public ClusterView View => _session is { } session ? ViewOf(session) : ClusterView.Empty;

    /// <summary>The node has a life: it is asked from now on.</summary>
    internal void Attach(ClusterSession session) => _session = session;

    /// <summary>The life is over and another will follow.</summary>
    internal void Detach()
    {
        _away = BetweenLives;
        _session = null;
    }

    /// <inheritdoc />
    public async Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken = default)
    {
        if (await problemOf(spec, cancellationToken) is { } problem)
        {
            return new CommandRefused(problem);
        }

        if (Unavailable(out ClusterSession session) is { } unavailable)
        {
            return unavailable;
        }

        if (!HasRoom(session) && !await BecomesReadyAsync(session, cancellationToken))
        {
            return new CommandUnavailable("no node is ready to take tasks; see 'actortrainer cluster show'");
        }

        string hash = TaskSpecHash.Compute(spec);
        TaskId task;
        CheckpointRef? copy = null;
        try
        {
            (CheckpointListing? source, CommandReply? refusal) = await FindSourceAsync(session, spec, cancellationToken);
            if (refusal is not null)
            {
                return refusal;
            }

            // A name stands for one id for ever, and the task itself says whether it is the same.
            task =
                session.Index.Find(spec.Name)?.Summary.Task
                ?? await session.RowWriter.TakeNameAsync(
                    new NameClaim(Draw(session, spec.Name), spec, hash, time.GetUtcNow()),
                    cancellationToken
                );
            copy = source is null ? null : await CopyAsync(source, task, cancellationToken);
        }
        catch (JournalUnavailableException e)
        {
            return new CommandUnavailable(e.Message);
        }
        catch (CheckpointDamagedException e)
        {
            return new CommandRefused($"the task cannot start from {spec.FromCheckpoint}: {e.Message.TrimEnd('.')}");
        }
        catch (CheckpointStoreException e)
        {
            return new CommandUnavailable(e.Message.TrimEnd('.'));
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
        {
            return new CommandUnavailable($"the journal does not answer: {e.Message}");
        }

        return await AskTaskAsync(session, task, new SubmitTask(spec, hash) { Checkpoint = copy }, cancellationToken);
    }

    /// <inheritdoc />
    public async Task<CommandReply> AskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken = default) =>
        Unavailable(out ClusterSession session) is { } unavailable ? unavailable
        : command is MigrateTask migrate ? await MigrateAsync(session, task, migrate, cancellationToken)
        : await AskTaskAsync(session, task, command, cancellationToken);

    /// <inheritdoc />
    public Task<CommandReply> CordonAsync(NodeAddress node, bool cordoned, CancellationToken cancellationToken = default) =>
        AskNodeAsync(node, cordoned ? NodeCommandKind.Cordon : NodeCommandKind.Uncordon, cancellationToken);

    /// <inheritdoc />
    public async Task<CommandReply> DrainAsync(NodeAddress node, CancellationToken cancellationToken = default)
    {
        ClusterSession? session = _session;
        long target = session?.View.Members.LastOrDefault(m => m.Address == node)?.Incarnation ?? 0;
        CommandReply reply = await AskNodeAsync(node, NodeCommandKind.Drain, cancellationToken);
        if (reply is not CommandAccepted)
        {
            return reply;
        }

        using CancellationTokenSource limit = new(model.Sharding.DrainTimeout + DrainMargin, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            if (node == session?.Address)
            {
                await session.Ended.WaitAsync(either.Token);
                return reply;
            }

            while (_session?.View.Find(target)?.IsRegistered == true)
            {
                await Task.Delay(AgainAfter, time, either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new CommandUnavailable($"node {node} has not handed everything over in time; see 'actortrainer cluster show'");
        }

        return reply;
    }

    private CommandUnavailable? Unavailable(out ClusterSession session)
    {
        ClusterSession? present = _session;
        session = present!;
        return present is null ? new CommandUnavailable(_away)
            : present.IsLeaving ? new CommandUnavailable(Leaving)
            : null;
    }

    private static bool HasRoom(ClusterSession session) => PlacementInputs.Capacities(session.View).Any(n => n.Accepts);

    private async Task<bool> BecomesReadyAsync(ClusterSession session, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < Patience)
        {
            await Task.Delay(AgainAfter, time, cancellationToken);
            if (HasRoom(session))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An id whose shard has as few unfinished tasks as can be, so that one task's move does not interrupt a neighbour.</summary>
    private TaskId Draw(ClusterSession session, string name)
    {
        lock (_drawing)
        {
            TaskId best = TaskId.Draw(name, _random);
            int fewest = CountBeside(session, best);
            for (int i = 1; i < Draws && fewest > 0; i++)
            {
                TaskId task = TaskId.Draw(name, _random);
                if (CountBeside(session, task) is int count && count < fewest)
                {
                    (best, fewest) = (task, count);
                }
            }

            return best;
        }
    }

    private int CountBeside(ClusterSession session, TaskId task) =>
        session.Index.CountIn(ShardMap.ShardOf(task, model.Sharding.NumberOfShards));

    private async Task<CommandReply> AskTaskAsync(
        ClusterSession session,
        TaskId task,
        TaskCommand command,
        CancellationToken cancellationToken
    )
    {
        long started = time.GetTimestamp();
        CommandReply? last = null;
        while (Patience - time.GetElapsedTime(started) is { Ticks: > 0 } left)
        {
            try
            {
                TaskAnswer answer = await session.Region.Ask<TaskAnswer>(new TaskRequest(task, command), left, cancellationToken);
                Acknowledge(session, task, answer.Sequence);
                if (answer.Reply is not CommandUnavailable)
                {
                    return answer.Reply;
                }

                last = answer.Reply;
            }
            catch (AskTimeoutException)
            {
                ShardHomes.Forget(session.Region, task, model.Sharding.NumberOfShards);
                break;
            }

            // It moves, or has just been passivated: its next owner answers.
            await Task.Delay(AgainAfter, time, cancellationToken);
        }

        return last ?? new CommandUnavailable($"no node answered for task {task} within 10 s; its node may just have been lost");
    }

    private async Task<CommandReply> MigrateAsync(
        ClusterSession session,
        TaskId task,
        MigrateTask command,
        CancellationToken cancellationToken
    )
    {
        TaskRow? row = session.Index.Find(task);
        if (row is null)
        {
            // Newer than what this node has read, perhaps.
            await session.ReadRowsAsync(cancellationToken);
            row = session.Index.Find(task);
        }

        if (row is null)
        {
            // It has ended, or never was: the task says which.
            return await AskTaskAsync(session, task, command, cancellationToken);
        }

        ClusterView view = session.View;
        MoveTarget target = MoveTarget.Choose(
            task,
            row.Summary.Slots,
            row.Owner,
            command.To,
            [.. view.Members.Where(m => m.IsLiving)],
            PlacementInputs.Capacities(view),
            session.Index.All.GroupBy(t => t.Summary.Shard).ToDictionary(shard => shard.Key, shard => shard.Max(t => t.Owner)),
            [.. session.Index.All.Select(t => TaskDemand.Of(t.Summary))],
            model.Sharding.Allocation
        );
        if (target.Refusal is not null)
        {
            return target.Refusal;
        }

        CommandReply reply = await AskTaskAsync(session, task, command, cancellationToken);
        if (reply is CommandAccepted)
        {
            foreach (ClusterMember member in view.Members.Where(m => m.IsLiving))
            {
                NodeAt(session, member).Tell(new MoveShard(row.Summary.Shard, target.To));
            }
        }

        return reply;
    }

    /// <summary>Asks a node to take no more tasks, to take them again, or to begin to leave.</summary>
    private async Task<CommandReply> AskNodeAsync(NodeAddress node, NodeCommandKind kind, CancellationToken cancellationToken)
    {
        if (_session is { } self && node == self.Address)
        {
            return await self.ExecuteAsync(kind);
        }

        if (Unavailable(out ClusterSession session) is { } unavailable)
        {
            return unavailable;
        }

        ClusterView view = session.View;
        ClusterMember[] living = [.. view.Members.Where(m => m.IsLiving)];
        if (living.LastOrDefault(m => m.Address == node) is not { } member)
        {
            return new CommandRefused(
                $"there is no living node at {node}; the members are {string.Join(", ", living.Select(m => m.Address))}",
                NotFound: true
            );
        }

        try
        {
            TaskAnswer answer = await NodeAt(session, member).Ask<TaskAnswer>(new NodeRequest(kind), Patience, cancellationToken);
            return answer.Reply;
        }
        catch (AskTimeoutException)
        {
            return new CommandUnavailable("the node did not answer within 10 s");
        }
    }

    private static ActorSelection NodeAt(ClusterSession session, ClusterMember member) =>
        session.System.ActorSelection($"{member.System.Address}/user/{NodeActor.Name}");

    /// <summary>The members with the shards and the unfinished tasks that have events; made once for each change.</summary>
    private ClusterView ViewOf(ClusterSession session)
    {
        ClusterView members = session.View;
        long version = session.Index.Version;
        KnownView? known = _known;
        if (known?.Version != version || !ReferenceEquals(known.Members, members))
        {
            _known = known = new KnownView(
                members,
                version,
                members.With(
                    session.Index.All.Where(t => t.Sequence > 0).Select(t => (t.Summary, t.Owner, t.Term)),
                    version,
                    model.Sharding.NumberOfShards
                )
            );
        }

        return known.View;
    }

    private sealed record KnownView(ClusterView Members, long Version, ClusterView View);
}
