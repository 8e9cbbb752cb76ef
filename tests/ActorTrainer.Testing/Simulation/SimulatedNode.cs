using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Testing.Simulation;

/// <summary>A node of a <see cref="SimulatedCluster"/>: the production loop and the production gossip core over simulated I/O.</summary>
public sealed class SimulatedNode
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(50);

    private readonly SimulatedCluster _cluster;
    private readonly List<Action> _deferred = [];
    private readonly Dictionary<long, Action<CommandReply>> _clients = [];
    private NodeLoop? _loop;
    private MembershipCore? _gossip;
    private SimulatedWorkers? _workers;
    private TimeSpan _bornAt;
    private TimeSpan _pausedAt;

    internal SimulatedNode(SimulatedCluster cluster, NodeModel model)
    {
        _cluster = cluster;
        Model = model;
    }

    /// <summary>Its configuration.</summary>
    public NodeModel Model { get; }

    /// <summary>Its present life, 0 while it is dead.</summary>
    public long Incarnation { get; private set; }

    /// <summary>Whether its process is stopped (as by SIGSTOP).</summary>
    public bool IsPaused { get; private set; }

    /// <summary>Whether it left in order.</summary>
    public bool HasLeft { get; private set; }

    /// <summary>Whether its process stands.</summary>
    public bool IsAlive => Incarnation != 0;

    /// <summary>Runs whose workers stand on it.</summary>
    public IReadOnlyCollection<RunKey> Workers => _workers?.Running ?? [];

    /// <summary>What it last published.</summary>
    public MembershipView? View => _gossip?.View;

    /// <summary>Notices, for a failing test to print.</summary>
    public List<string> Notices { get; } = [];

    /// <summary>Starts a life.</summary>
    public void Start()
    {
        HasLeft = false;
        MemberRow row = new(0, Model.Address, Model.NodeName, [], Model.Slots, MemberStatus.Joining, false, 0, "0");
        Incarnation = ((RegisterReply)_cluster.Journal.Execute(new RegisterRequest(row))).Incarnation;
        _cluster.Journal.HoldLifeLock(Incarnation);
        _bornAt = _cluster.Now;
        _loop = new NodeLoop(Model, Incarnation);
        _workers = new SimulatedWorkers(_cluster, Guarded<TaskInput>(input => Step(new TaskHappened(input))));
        _gossip = new MembershipCore(
            new MemberRecord(Incarnation, Model.Address, Model.NodeName, Model.Slots, MemberState.Joining, 0, false), Model.SeedNodes, Model.Membership);
        Every(TickEvery, () => Step(new NodeTick()));
        Every(Model.Membership.HeartbeatInterval / 2, () => Gossip(new GossipTick()));
    }

    /// <summary>Ends the process at once, as by kill -9.</summary>
    public void Kill()
    {
        _cluster.Journal.Kill(Incarnation);
        _cluster.Network.Died(this);
        _workers!.EndAll();
        _deferred.Clear();
        _clients.Clear();
        IsPaused = false;
        Incarnation = 0;
    }

    /// <summary>Stops the process, as by SIGSTOP: it takes nothing until it goes on, its sockets stand.</summary>
    public void Pause()
    {
        IsPaused = true;
        _pausedAt = _cluster.Now;
        long life = Incarnation;
        _cluster.After(Model.Sharding.SelfFenceAfter, () =>
        {
            // Its guard has not heard it.
            if (Incarnation == life && IsPaused && _cluster.Now - _pausedAt >= Model.Sharding.SelfFenceAfter)
            {
                _workers!.EndAll();
            }
        });
    }

    /// <summary>Lets a stopped process go on; what arrived meanwhile is taken now.</summary>
    public void Continue()
    {
        IsPaused = false;
        Action[] deferred = [.. _deferred];
        _deferred.Clear();
        foreach (Action act in deferred)
        {
            act();
        }
    }

    /// <summary>Asks it to end in order.</summary>
    public void Stop(TimeSpan within) => Step(new StopNode(within));

    /// <summary>Submits a task and hands its answer on.</summary>
    public void Submit(TaskSpec spec, string hash, Action<CommandReply> reply)
    {
        long client = _cluster.NextNumber();
        _clients[client] = reply;
        Step(new ClientSubmit(client, spec, hash));
    }

    /// <summary>Sends a command for a node through this one.</summary>
    public void Command(SimulatedNode node, NodeCommandKind kind, Action<CommandReply> reply)
    {
        long client = _cluster.NextNumber();
        _clients[client] = reply;
        Step(new ClientNodeCommand(client, node.Model.Address, kind));
    }

    internal void Command(TaskId task, TaskCommand command, Action<CommandReply> reply)
    {
        long client = _cluster.NextNumber();
        _clients[client] = reply;
        Step(new ClientCommand(client, task, command));
    }

    internal void NodeCommand(NodeAddress node, NodeCommandKind kind, Action<CommandReply> reply)
    {
        long client = _cluster.NextNumber();
        _clients[client] = reply;
        Step(new ClientNodeCommand(client, node, kind));
    }

    internal void Receive(NodeAddress from, NodeMessage message) => Run(() => Step(new PeerMessage(from, message)));

    internal void Gossip(GossipInput input) => Run(() =>
    {
        foreach (GossipEffect effect in _gossip!.Step(input, _cluster.Now - _bornAt, _cluster.Random))
        {
            _cluster.Network.Start(this, effect, view => Step(new ViewChanged(view)), Notices);
        }
    });

    private void Step(NodeInput input) => Run(() =>
    {
        long life = Incarnation;
        foreach (NodeEffect effect in _loop!.Step(input, _cluster.Now - _bornAt, _cluster.Random))
        {
            if (Incarnation == life)
            {
                Start(effect);
            }
        }
    });

    private void Start(NodeEffect effect)
    {
        switch (effect)
        {
            case AskJournal ask:
                _cluster.AskJournal(this, ask.Request, Guarded<JournalReply>(reply => Step(new JournalAnswered(ask.Question, reply))));
                break;
            case TellPeer tell:
                _cluster.Network.Tell(this, tell);
                break;
            case AnswerClient answer when _clients.Remove(answer.Client, out Action<CommandReply>? reply):
                reply(answer.Reply);
                break;
            case StartTaskEffect start:
                _workers!.Start(start.Effect);
                break;
            case LookAtLifeLock look:
                _cluster.After(TimeSpan.FromMilliseconds(1), Guarded(() => Step(new LifeLockSeen(look.Incarnation, _cluster.HasJournal(this) ? _cluster.Journal.IsLifeLockFree(look.Incarnation) : null))));
                break;
            case ChangeSelf change:
                Gossip(new GossipSelfChanged(change.State, change.Cordoned));
                break;
            case DeclareMember declare:
                Gossip(new GossipDeclared(declare.Incarnation, declare.State));
                break;
            case Notice notice:
                Notices.Add(FormattableString.Invariant($"{_cluster.Now.TotalSeconds:0.000} {Model.NodeName}/{Incarnation}: {notice.Text}"));
                break;
            case EndLife end:
                EndLife(end);
                break;
        }
    }

    private void EndLife(EndLife end)
    {
        Notices.Add(FormattableString.Invariant($"{_cluster.Now.TotalSeconds:0.000} {Model.NodeName}/{Incarnation}: life ends: {end.Reason}"));
        Kill();
        if (end.End == LifeEnd.Rejoin)
        {
            _cluster.After(TimeSpan.FromMilliseconds(100), Start);
        }
        else
        {
            HasLeft = true;
        }
    }

    /// <summary>Runs in this process: now, or when it goes on; never when it is dead.</summary>
    private void Run(Action act)
    {
        if (!IsAlive)
        {
            return;
        }

        if (IsPaused)
        {
            _deferred.Add(act);
            return;
        }

        act();
    }

    /// <summary>Only for the life that asked.</summary>
    private Action Guarded(Action act)
    {
        long life = Incarnation;
        return () =>
        {
            if (Incarnation == life)
            {
                act();
            }
        };
    }

    private Action<T> Guarded<T>(Action<T> act)
    {
        long life = Incarnation;
        return value =>
        {
            if (Incarnation == life)
            {
                act(value);
            }
        };
    }

    private void Every(TimeSpan interval, Action act)
    {
        long life = Incarnation;
        void Again()
        {
            if (Incarnation != life)
            {
                return;
            }

            if (!IsPaused)
            {
                act();
            }

            _cluster.After(interval, Again);
        }

        _cluster.After(interval, Again);
    }
}
