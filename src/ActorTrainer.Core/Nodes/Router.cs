using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>Brings commands to the owner of their task, here or on another node, and the answers back.</summary>
internal sealed class Router(NodeContext context, ShardHost host)
{
    private const int MaxHops = 2;
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(3);

    private readonly SortedDictionary<long, Traveller> _travellers = [];

    /// <summary>Commands that the loop answers itself before they reach the task (a move).</summary>
    public Func<TaskCell, TaskCommand, CommandReply?> Intercept { get; set; } = (_, _) => null;

    /// <summary>Routes a command; the reply comes exactly once.</summary>
    public void Route(TaskId task, TaskCommand command, int hops, Action<CommandReply> reply)
    {
        Traveller traveller = new(context.NextNumber(), task, command, hops, reply) { Until = context.Now + GiveUpAfter };
        _travellers[traveller.Number] = traveller;
        Advance(traveller);
    }

    /// <summary>Forwards a command for a node itself. A node that is told to go may be gone before its answer is here: its row tells as well.</summary>
    public void RouteToNode(NodeAddress node, NodeCommandKind kind, Action<CommandReply> reply)
    {
        Traveller traveller = new(context.NextNumber(), default, null, MaxHops, reply)
        {
            Until = context.Now + GiveUpAfter,
            Sent = true,
            Drained = kind == NodeCommandKind.Drain ? context.Rows.Members.LastOrDefault(m => m.Address == node)?.Incarnation : null,
        };
        _travellers[traveller.Number] = traveller;
        context.Tell(node, new ForwardNodeCommand(traveller.Number, kind));
    }

    public void OnReply(ForwardReply reply)
    {
        if (!_travellers.TryGetValue(reply.Number, out Traveller? traveller))
        {
            return;
        }

        if (reply.Reply is CommandUnavailable && traveller.Command is not null && context.Now < traveller.Until)
        {
            // The owner has changed under way; ask the next one when the rows tell.
            traveller.Sent = false;
            traveller.AgainAt = context.Now + TimeSpan.FromMilliseconds(200);
            return;
        }

        Arrive(traveller, reply.Reply);
    }

    public void Tick()
    {
        foreach (Traveller traveller in _travellers.Values.ToArray())
        {
            if (traveller.Drained is long going && context.Row(going) is { Status: MemberStatus.Leaving or MemberStatus.Removed })
            {
                Arrive(traveller, new CommandAccepted(default));
            }
            else if (context.Now >= traveller.Until)
            {
                Arrive(traveller, new CommandUnavailable(traveller.Command is null
                    ? "the node did not answer within 10 s"
                    : $"no node answered for task {traveller.Task} within 10 s; ask again when the cluster has settled ('actortrainer cluster show')"));
            }
            else if (traveller.Command is not null && !traveller.Delivered && context.Now >= traveller.AgainAt)
            {
                Advance(traveller);
            }
        }
    }

    private void Advance(Traveller traveller)
    {
        int shard = ShardMap.ShardOf(traveller.Task, context.Model.Sharding.NumberOfShards);
        traveller.AgainAt = context.Now + AgainAfter;
        if (host.Find(shard) is { } owned)
        {
            if (owned.Phase == ShardPhase.Active)
            {
                traveller.Delivered = true;
                Deliver(traveller, owned);
            }
            else
            {
                traveller.AgainAt = context.Now + TimeSpan.FromMilliseconds(100);
            }

            return;
        }

        long owner = shard < context.Rows.Shards.Count ? context.Rows.Shards[shard].Owner : 0;
        if (owner == context.Self || owner == 0 || context.Row(owner) is not { } row || !context.IsAlive(row))
        {
            traveller.AgainAt = context.Now + TimeSpan.FromMilliseconds(100);
            return;
        }

        if (traveller.Hops >= MaxHops)
        {
            Arrive(traveller, new CommandUnavailable($"the owner of task {traveller.Task} is changing; ask again"));
            return;
        }

        context.Tell(row.Address, new ForwardCommand(traveller.Number, traveller.Task, traveller.Command!, traveller.Hops + 1));
    }

    private void Deliver(Traveller traveller, OwnedShard shard)
    {
        if (shard.Cells.TryGetValue(traveller.Task, out TaskCell? cell))
        {
            Give(traveller, cell);
        }
        else if (traveller.Command is SubmitTask)
        {
            Give(traveller, host.Create(traveller.Task, shard));
        }
        else
        {
            Load(traveller, shard);
        }
    }

    /// <summary>A task that is not loaded has ended, or never was: the journal knows.</summary>
    private void Load(Traveller traveller, OwnedShard shard)
    {
        context.Ask(new ListEventsRequest(traveller.Task, 0, int.MaxValue), reply =>
        {
            if (reply is not ListEventsReply list)
            {
                Arrive(traveller, new CommandUnavailable("the journal does not answer"));
            }
            else if (list.Events.Count == 0)
            {
                Arrive(traveller, new CommandRefused($"there is no task {traveller.Task}", NotFound: true));
            }
            else if (!ReferenceEquals(host.Find(shard.Number), shard))
            {
                traveller.Delivered = false;
            }
            else
            {
                if (!shard.Cells.TryGetValue(traveller.Task, out TaskCell? cell))
                {
                    cell = host.Create(traveller.Task, shard);
                    cell.LastSequence = list.Events[^1].Sequence;
                    cell.Entity.Recover(null, list.Events.Select(e => e.Event));
                }

                Give(traveller, cell);
            }
        });
    }

    private void Give(Traveller traveller, TaskCell cell)
    {
        if (traveller.Command is MigrateTask && cell.Entity.State is { IsFinished: false } && Intercept(cell, traveller.Command) is { } answer)
        {
            Arrive(traveller, answer);
            return;
        }

        host.Journaling.Offer(cell, new CellWork(null, traveller.Command, reply => Arrive(traveller, reply)));
    }

    private void Arrive(Traveller traveller, CommandReply reply)
    {
        if (_travellers.Remove(traveller.Number))
        {
            traveller.Reply(reply);
        }
    }

    private sealed class Traveller(long number, TaskId task, TaskCommand? command, int hops, Action<CommandReply> reply)
    {
        public long Number { get; } = number;

        public TaskId Task { get; } = task;

        public TaskCommand? Command { get; } = command;

        public int Hops { get; } = hops;

        public Action<CommandReply> Reply { get; } = reply;

        public TimeSpan Until { get; init; }

        public TimeSpan AgainAt { get; set; }

        public bool Sent { get; set; }

        public bool Delivered { get; set; }

        /// <summary>The life that was told to go, or null.</summary>
        public long? Drained { get; init; }
    }
}
