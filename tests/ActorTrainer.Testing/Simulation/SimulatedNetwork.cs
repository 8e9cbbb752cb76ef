using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;

namespace ActorTrainer.Testing.Simulation;

/// <summary>The network between simulated nodes: messages take a little time; links can be cut one way.</summary>
public sealed class SimulatedNetwork
{
    private readonly SimulatedCluster _cluster;
    private readonly HashSet<(NodeAddress From, NodeAddress To)> _cut = [];
    private readonly HashSet<(long From, long To)> _streams = [];

    internal SimulatedNetwork(SimulatedCluster cluster) => _cluster = cluster;

    /// <summary>Cuts the way from one node to another; connections stand and carry nothing.</summary>
    public void Cut(SimulatedNode from, SimulatedNode to) => _cut.Add((from.Model.Address, to.Model.Address));

    /// <summary>Mends all ways.</summary>
    public void Heal() => _cut.Clear();

    internal void Died(SimulatedNode node)
    {
        long life = node.Incarnation;
        foreach (SimulatedNode other in _cluster.Nodes)
        {
            bool connected = _streams.Remove((other.Incarnation, life)) | _streams.Remove((life, other.Incarnation));
            if (connected && other.IsAlive && other != node)
            {
                _cluster.After(Delay(), () => other.Gossip(new GossipStreamEnded(life)));
            }
        }
    }

    internal void Tell(SimulatedNode from, TellPeer tell)
    {
        if (_cluster.At(tell.To) is { } target && !IsCut(from, target))
        {
            long life = target.Incarnation;
            _cluster.After(Delay(), () =>
            {
                if (target.Incarnation == life)
                {
                    target.Receive(from.Model.Address, tell.Message);
                }
            });
        }
    }

    internal void Start(SimulatedNode node, GossipEffect effect, Action<MembershipView> publish, List<string> notices)
    {
        switch (effect)
        {
            case SendGossip send:
                Send(node, send);
                break;
            case ConnectGossip connect:
                Connect(node, connect.Address);
                break;
            case DisconnectGossip disconnect:
                _streams.Remove((node.Incarnation, disconnect.Incarnation));
                break;
            case ProbeFresh probe:
                Probe(node, probe);
                break;
            case CheckLifeLock check:
                _cluster.After(Delay(), () => node.Gossip(new GossipLifeLockChecked(check.Incarnation, _cluster.HasJournal(node) ? _cluster.Journal.IsLifeLockFree(check.Incarnation) : null)));
                break;
            case PublishView view:
                publish(view.View);
                break;
            case MemberLost lost:
                notices.Add(FormattableString.Invariant($"{_cluster.Now.TotalSeconds:0.000} {node.Model.NodeName}: lost {lost.Incarnation}: {lost.Evidence}"));
                break;
        }
    }

    private void Send(SimulatedNode node, SendGossip send)
    {
        long from = node.Incarnation;
        if (_cluster.At(send.Address) is { } target && target.Incarnation == send.To && !IsCut(node, target))
        {
            _cluster.After(Delay(), () =>
            {
                if (target.Incarnation == send.To)
                {
                    target.Gossip(new GossipReceived(from, send.Message));
                }
            });
        }
    }

    private void Connect(SimulatedNode node, NodeAddress address)
    {
        long life = node.Incarnation;
        SimulatedNode? target = _cluster.At(address);
        bool silent = target is { IsPaused: true } || (target is not null && (IsCut(node, target) || IsCut(target, node)));
        _cluster.After(silent ? TimeSpan.FromSeconds(1) : Delay(), () =>
        {
            if (node.Incarnation != life)
            {
                return;
            }

            if (silent || target is not { IsAlive: true })
            {
                node.Gossip(new GossipConnectFailed(address, silent ? "no answer" : "connection refused"));
            }
            else
            {
                _streams.Add((life, target.Incarnation));
                node.Gossip(new GossipConnected(address, target.Incarnation));
            }
        });
    }

    private void Probe(SimulatedNode node, ProbeFresh probe)
    {
        SimulatedNode? target = _cluster.At(probe.Address);
        bool silent = target is { IsPaused: true } || (target is not null && (IsCut(node, target) || IsCut(target, node)));
        FreshProbe outcome = target is not { IsAlive: true } ? FreshProbe.Refused
            : silent ? FreshProbe.TimedOut
            : target.Incarnation == probe.Incarnation ? FreshProbe.SameIncarnation
            : FreshProbe.OtherIncarnation;
        _cluster.After(silent ? probe.Timeout : Delay(), () => node.Gossip(new GossipFreshProbed(probe.Incarnation, outcome)));
    }

    private bool IsCut(SimulatedNode from, SimulatedNode to) => _cut.Contains((from.Model.Address, to.Model.Address));

    private TimeSpan Delay() => TimeSpan.FromMilliseconds(0.2 + (1.8 * _cluster.Random.NextDouble()));
}
