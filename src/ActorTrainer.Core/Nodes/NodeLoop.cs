using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>
/// One life of a node, without I/O: input by input it owns shards, drives their tasks, routes commands, and coordinates the cluster
/// while it holds the lease. The same loop runs in production, on one thread, and in simulation.
/// </summary>
public sealed class NodeLoop
{
    private readonly NodeContext _context;
    private readonly ShardHost _host;
    private readonly SlotScheduler _scheduler;
    private readonly LeaseKeeper _lease;
    private readonly Coordinator _coordinator;
    private readonly Mover _mover;
    private readonly Router _router;
    private readonly Submitter _submitter;
    private readonly Departure _departure;
    private readonly ConnectionWatch _connections;
    private TimeSpan _readAt;
    private bool _reading;
    private bool _readAgain;
    private bool _settingUp;
    private bool _readAll;
    private List<Action> _afterNextRead = [];

    /// <summary>A loop for one life.</summary>
    /// <param name="model">The node's configuration.</param>
    /// <param name="incarnation">The life's number, given by the journal.</param>
    public NodeLoop(NodeModel model, long incarnation)
    {
        _context = new NodeContext(model, incarnation, model.Address);
        _host = new ShardHost(_context, new TaskJournaling(_context));
        _scheduler = new SlotScheduler(_context, _host);
        _connections = new ConnectionWatch(_context, _host);
        _lease = new LeaseKeeper(_context);
        _mover = new Mover(_context, _host);
        _router = new Router(_context, _host) { Intercept = Migrate };
        _submitter = new Submitter(_context, _router)
        {
            WithFreshRows = then =>
            {
                _afterNextRead.Add(then);
                Read();
            },
        };
        _departure = new Departure(_context, _host, _mover, _lease);
        _coordinator = new Coordinator(_context, _lease)
        {
            SendMoves = (to, request) =>
            {
                if (to == _context.Address)
                {
                    _mover.OnRequest(request);
                }
                else
                {
                    _context.Tell(to, request);
                }
            },
            Assigned = rows => TakeRows(rows, _context.Now),
        };
    }

    /// <summary>Takes one input; hands back what the shell has to do, in order.</summary>
    /// <param name="input">What happened.</param>
    /// <param name="now">Monotonic time; never goes back.</param>
    /// <param name="random">The source for ids, names and jitter.</param>
    public IReadOnlyList<NodeEffect> Step(NodeInput input, TimeSpan now, DeterministicRandom random)
    {
        _context.Begin(now, random);
        if (!_context.Ended)
        {
            Take(input);
            _scheduler.Run();
            ReportActive();
            _host.Journaling.Flush();
        }

        return _context.TakeOutbox();
    }

    private void Take(NodeInput input)
    {
        switch (input)
        {
            case NodeTick:
                Tick();
                break;
            case ViewChanged changed:
                OnView(changed.View);
                break;
            case JournalAnswered answered:
                _context.Answered(answered.Question, answered.Reply);
                break;
            case ClientCommand command:
                _router.Route(command.Task, command.Command, 0, reply => _context.Do(new AnswerClient(command.Client, reply)));
                break;
            case ClientSubmit submit:
                _submitter.On(submit);
                break;
            case ClientNodeCommand command:
                OnNodeCommand(command);
                break;
            case StopNode stop:
                _departure.Begin(stop.Within);
                break;
            case PeerMessage peer:
                OnPeer(peer.From, peer.Message);
                break;
            case TaskHappened happened:
                OnTask(happened.Input);
                break;
            case LifeLockSeen seen:
                _lease.OnLifeLock(seen);
                break;
        }
    }

    private void Tick()
    {
        if (_context.Now >= _readAt)
        {
            Read();
        }

        if (_connections.MustFence())
        {
            _host.DropAll();

            // What nobody took meanwhile is still this node's: it is claimed anew once the journal answers.
            _readAll = true;
        }

        _lease.Tick();
        _coordinator.Tick();
        _host.Tick();
        _mover.Tick();
        _router.Tick();
        _submitter.Tick();
        _departure.Tick();
    }

    private void OnView(MembershipView view)
    {
        MembershipView before = _context.View;
        _context.View = view;
        if (view.Find(_context.Self) is { State: MemberState.Down })
        {
            End(LifeEnd.Rejoin, "the others count this node as lost; it begins another life");
            return;
        }

        if (before.Members.Count != view.Members.Count || view.Members.Any(m => before.Find(m.Incarnation)?.State != m.State))
        {
            _coordinator.LookSoon();
            _lease.Tick();
            _coordinator.Tick();
            Read();
        }
    }

    private void OnPeer(NodeAddress from, NodeMessage message)
    {
        switch (message)
        {
            case ForwardCommand forward:
                _router.Route(forward.Task, forward.Command, forward.Hops, reply => _context.Tell(from, new ForwardReply(forward.Number, reply)));
                break;
            case ForwardReply reply:
                _router.OnReply(reply);
                break;
            case ForwardNodeCommand command:
                _departure.OnCommand(command.Kind, reply => _context.Tell(from, new ForwardReply(command.Number, reply)));
                break;
            case OwnershipChanged changed:
                TakeRows(changed.Rows, TimeSpan.MinValue);
                Read();
                break;
            case RequestMoves request:
                _mover.OnRequest(request);
                break;
            case WarmShard warm:
                _mover.OnWarm(from, warm);
                break;
            case ShardWarmed warmed:
                _mover.OnWarmed(warmed);
                break;
            case ShardsActive active:
                _coordinator.OnActive(active);
                break;
            case JournalUnreachable unreachable:
                _coordinator.OnJournalUnreachable(unreachable.Incarnation);
                break;
        }
    }

    private void OnTask(TaskInput input)
    {
        if (input.Target is TaskId task && _host.Find(task) is { } cell)
        {
            _host.Journaling.Offer(cell, new CellWork(input, null, null));
        }
    }

    private void OnNodeCommand(ClientNodeCommand command)
    {
        Action<CommandReply> reply = answer => _context.Do(new AnswerClient(command.Client, answer));
        if (command.Node == _context.Address)
        {
            _departure.OnCommand(command.Kind, reply);
        }
        else if (!_context.Rows.Members.Any(m => m.Address == command.Node && _context.IsAlive(m)))
        {
            reply(new CommandRefused(
                $"there is no living node at {command.Node}; the members are {string.Join(", ", _context.Rows.Members.Where(_context.IsAlive).Select(m => m.Address))}", NotFound: true));
        }
        else
        {
            _router.RouteToNode(command.Node, command.Kind, reply);
        }
    }

    private CommandReply? Migrate(TaskCell cell, TaskCommand command)
    {
        MoveTarget target = MoveTarget.Choose(
            cell.Entity.Task,
            cell.Entity.State!.Spec.Slots,
            _context.Self,
            ((MigrateTask)command).To,
            [.. _context.Rows.Members.Where(_context.IsAlive)],
            _context.Capacities(),
            _context.Owners(),
            _context.Demands(),
            _context.Model.Sharding.Allocation);
        return target.Refusal
            ?? (_mover.Request(cell.Shard, target.To, "request")
                ? new CommandAccepted(cell.Entity.Task)
                : new CommandUnavailable($"task {cell.Entity.Task} is moving already"));
    }

    /// <summary>Reads the rows; one read at a time, and one more if something changed meanwhile.</summary>
    private void Read()
    {
        if (_reading)
        {
            _readAgain = true;
            return;
        }

        _reading = true;
        // Twice a beat: what is seen of the lease lags by half a beat at most, and a silent holder is followed that much sooner.
        _readAt = _context.Now + (_context.Model.Sharding.LeaseBeat / 2);
        TimeSpan asked = _context.Now;
        List<Action> after = _afterNextRead;
        _afterNextRead = [];
        _context.Ask(new ReadClusterRequest(_readAll ? -1 : _context.Rows.Version), reply =>
        {
            _reading = false;
            if (reply is ReadClusterReply answer)
            {
                OnRows(answer.Rows, asked);
            }

            after.ForEach(then => then());

            if (_readAgain && !_context.Ended)
            {
                _readAgain = false;
                Read();
            }
        });
    }

    private void OnRows(ClusterRows rows, TimeSpan asked)
    {
        bool same = rows.Shards.Count == 0;
        if (!same && rows.Version < _context.Rows.Version)
        {
            End(LifeEnd.Broken, "the journal went back in time (restored from a backup?); all workers are stopped");
            return;
        }

        _context.Rows = same ? _context.Rows with { Lease = rows.Lease, Members = rows.Members } : rows;
        _lease.OnRows(rows.Lease);
        switch (_context.Row(_context.Self))
        {
            case { Status: MemberStatus.Joining } when !_settingUp && _context.View.Members.Count > 0:
                _settingUp = true;
                _context.Ask(new SetMemberRequest(_context.Self, MemberStatus.Up, null, 0, 0), OnUp);
                break;
            case null or { Status: MemberStatus.Down }:
                End(LifeEnd.Rejoin, "the journal counts this node as lost; it begins another life");
                return;
        }

        if (!same)
        {
            _readAll = false;
            TakeRows(rows.Shards, asked);
        }

        _context.Do(new PublishRows(_context.Rows));
        _lease.Tick();
        _coordinator.Tick();
    }

    private void OnUp(JournalReply reply)
    {
        _settingUp = false;
        if (reply is SetMemberReply { Accepted: true })
        {
            _context.Do(new ChangeSelf(MemberState.Up, false));
            _context.Say("is up");
            Read();
        }
    }

    private void TakeRows(IReadOnlyList<ShardRow> rows, TimeSpan readAt)
    {
        _context.Merge(rows);
        if (_host.OnRows(rows, readAt) is int shard)
        {
            End(LifeEnd.Broken, $"the journal went back in time: shard {shard} has a lower term than was acknowledged; all workers are stopped");
        }
    }

    private void ReportActive()
    {
        IReadOnlyList<ShardTerm> active = _host.TakeNewlyActive();
        if (active.Count == 0)
        {
            return;
        }

        ShardsActive message = new(active);
        if (_lease.Holder == _context.Self)
        {
            _coordinator.OnActive(message);
        }
        else if (_context.Row(_lease.Holder) is { } holder)
        {
            _context.Tell(holder.Address, message);
        }
    }

    private void End(LifeEnd end, string reason)
    {
        _host.DropAll();
        _context.Ended = true;
        _context.Do(new EndLife(end, reason));
    }
}
