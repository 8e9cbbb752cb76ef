using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Tests.Membership;

/// <summary>
/// Gossip cores under a virtual clock: one heap of things to happen by (time, number), messages with delay and loss, crashes, stopped
/// processes, cuts of one direction between two nodes. One seed, one run.
/// </summary>
internal sealed class GossipHarness(ulong seed = 1, MembershipModel? options = null)
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Number)> _heap = new();
    private readonly HashSet<(long Opener, long Target)> _connections = [];
    private long _number;
    private long _lives;

    public DeterministicRandom Random { get; } = new(seed);

    public MembershipModel Options { get; } = options ?? new MembershipModel();

    public TimeSpan Now { get; private set; }

    public List<SimulatedNode> Nodes { get; } = [];

    public double Loss { get; set; }

    /// <summary>Directions in which nothing passes.</summary>
    public HashSet<(SimulatedNode From, SimulatedNode To)> Cuts { get; } = [];

    /// <summary>Whether the journal can tell of life locks.</summary>
    public bool HasJournal { get; set; } = true;

    public SimulatedNode Start(int port, params int[] seeds)
    {
        SimulatedNode node = new(this, ++_lives, Address(port), [.. seeds.Select(Address)]);
        Nodes.Add(node);
        Tick(node, TimeSpan.FromMilliseconds(Random.Next(100)));
        node.Post(new GossipSelfChanged(MemberState.Up, false));
        return node;
    }

    /// <summary>A founded cluster of n nodes that all know each other; the first is the seed.</summary>
    public IReadOnlyList<SimulatedNode> StartCluster(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Start(i + 1, 1);
        }

        RunUntil(() => Nodes.TrueForAll(node => node.View.Reachable.Count == count), TimeSpan.FromSeconds(20));
        // Heartbeats and estimates settle.
        Run(TimeSpan.FromSeconds(3));
        return [.. Nodes];
    }

    public static NodeAddress Address(int port) => new("10.0.0.1", port);

    public void Crash(SimulatedNode node)
    {
        node.Crashed = true;
        EndConnections(node, inOrder: false);
    }

    public void Leave(SimulatedNode node)
    {
        node.Post(new GossipSelfChanged(MemberState.Leaving, false));
        After(TimeSpan.FromSeconds(1), () => node.Post(new GossipSelfChanged(MemberState.Removed, false)));
        After(TimeSpan.FromSeconds(1.2), () =>
        {
            node.Crashed = true;
            EndConnections(node, inOrder: true);
        });
    }

    public void Cut(SimulatedNode from, SimulatedNode to) => Cuts.Add((from, to));

    public void CutBoth(SimulatedNode a, SimulatedNode b)
    {
        Cut(a, b);
        Cut(b, a);
    }

    public void Run(TimeSpan duration)
    {
        TimeSpan end = Now + duration;
        while (_heap.TryPeek(out _, out (TimeSpan At, long) next) && next.At <= end)
        {
            Next();
        }

        Now = end;
    }

    public TimeSpan RunUntil(Func<bool> condition, TimeSpan atMost)
    {
        TimeSpan start = Now;
        while (!condition())
        {
            (Now - start).ShouldBeLessThan(atMost, $"seed {seed}: not reached; {Describe()}");
            Next();
        }

        return Now - start;
    }

    public string Describe() => string.Join(
        Environment.NewLine,
        Nodes.Where(node => !node.Crashed).Select(node =>
            $"{node.Incarnation}: {string.Join(' ', node.View.Members.Select(member => $"{member.Incarnation}={member.State}"))} reaches {string.Join(',', node.View.Reachable)}"));

    public void After(TimeSpan delay, Action action) => _heap.Enqueue(action, (Now + delay, ++_number));

    internal void Do(SimulatedNode node, GossipEffect effect)
    {
        switch (effect)
        {
            case SendGossip send:
                if (Nodes.Find(other => other.Incarnation == send.To) is { } target && Random.NextDouble() >= Loss)
                {
                    After(Delay(), () =>
                    {
                        if (Passes(node, target))
                        {
                            target.Post(new GossipReceived(node.Incarnation, send.Message));
                        }
                    });
                }

                break;
            case ConnectGossip connect:
                Connect(node, connect.Address);
                break;
            case DisconnectGossip disconnect:
                _connections.Remove((node.Incarnation, disconnect.Incarnation));
                break;
            case ProbeFresh probe:
                FreshProbe outcome = Living(probe.Address) is not { } answering ? FreshProbe.Refused
                    : !Answers(node, answering) ? FreshProbe.TimedOut
                    : answering.Incarnation == probe.Incarnation ? FreshProbe.SameIncarnation : FreshProbe.OtherIncarnation;
                After(outcome == FreshProbe.TimedOut ? probe.Timeout : Delay() * 2, () => node.Post(new GossipFreshProbed(probe.Incarnation, outcome)));
                break;
            case CheckLifeLock check:
                bool? free = HasJournal ? Nodes.Exists(other => other.Incarnation == check.Incarnation && other.Crashed) : null;
                After(Delay(), () => node.Post(new GossipLifeLockChecked(check.Incarnation, free)));
                break;
            case MemberLost lost:
                node.Losses.Add((Now, lost));
                break;
            default:
                break;
        }
    }

    private void Connect(SimulatedNode node, NodeAddress address)
    {
        SimulatedNode? target = Living(address);
        bool answers = target is not null && Answers(node, target);
        After(target is null || answers ? Delay() * 2 : TimeSpan.FromMilliseconds(500), () =>
        {
            if (answers && !target!.Crashed && !node.Crashed)
            {
                _connections.Add((node.Incarnation, target.Incarnation));
                node.Post(new GossipConnected(address, target.Incarnation));
            }
            else
            {
                node.Post(new GossipConnectFailed(address, target is null ? "refused" : "no answer"));
            }
        });
    }

    private SimulatedNode? Living(NodeAddress address) => Nodes.FindLast(node => node.Address == address && !node.Crashed);

    private bool Passes(SimulatedNode from, SimulatedNode to) => !from.Crashed && !to.Crashed && !Cuts.Contains((from, to));

    private bool Answers(SimulatedNode from, SimulatedNode to) => Passes(from, to) && Passes(to, from) && !to.Stopped;

    private void EndConnections(SimulatedNode node, bool inOrder)
    {
        foreach ((long opener, long target) in _connections.Where(pair => pair.Opener == node.Incarnation || pair.Target == node.Incarnation).Order().ToArray())
        {
            _connections.Remove((opener, target));
            if (inOrder && opener == node.Incarnation)
            {
                continue;
            }

            SimulatedNode other = Nodes.Find(candidate => candidate.Incarnation == (opener == node.Incarnation ? target : opener))!;
            After(Delay(), () =>
            {
                if (!Cuts.Contains((node, other)))
                {
                    other.Post(new GossipStreamEnded(node.Incarnation));
                }
            });
        }
    }

    private void Tick(SimulatedNode node, TimeSpan delay) => After(delay, () =>
    {
        if (node.Crashed)
        {
            return;
        }

        if (!node.Stopped)
        {
            node.Post(new GossipTick());
        }

        Tick(node, Options.HeartbeatInterval / 2);
    });

    private TimeSpan Delay() => TimeSpan.FromMilliseconds(0.5 + (2 * Random.NextDouble()));

    private void Next()
    {
        _heap.TryDequeue(out Action? action, out (TimeSpan At, long) when).ShouldBeTrue();
        Now = when.At;
        action!();
    }
}

internal sealed class SimulatedNode(GossipHarness harness, long incarnation, NodeAddress address, IReadOnlyList<NodeAddress> seeds)
{
    private readonly Queue<GossipInput> _waiting = new();
    private readonly DeterministicRandom _random = new((ulong)incarnation);

    public long Incarnation { get; } = incarnation;

    public NodeAddress Address { get; } = address;

    public MembershipCore Core { get; } = new(
        new MemberRecord(incarnation, address, $"n{incarnation}", 2, MemberState.Joining, 0, false), seeds, harness.Options);

    public bool Crashed { get; set; }

    public bool Stopped { get; private set; }

    public List<(TimeSpan At, MemberLost Lost)> Losses { get; } = [];

    public List<GossipEffect> Effects { get; } = [];

    public MembershipView View => Core.View;

    /// <summary>What this node holds of a life.</summary>
    public MemberState? StateOf(SimulatedNode other) => View.Find(other.Incarnation)?.State;

    public void Stop() => Stopped = true;

    public void Continue()
    {
        Stopped = false;
        while (_waiting.TryDequeue(out GossipInput? input))
        {
            Post(input);
        }
    }

    public void Post(GossipInput input)
    {
        if (Crashed)
        {
            return;
        }

        if (Stopped)
        {
            _waiting.Enqueue(input);
            return;
        }

        foreach (GossipEffect effect in Core.Step(input, harness.Now, _random))
        {
            Effects.Add(effect);
            harness.Do(this, effect);
        }
    }
}
