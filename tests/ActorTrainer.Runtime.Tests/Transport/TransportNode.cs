using System.Threading.Channels;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Runtime.Tests.Transport;

/// <summary>A server with gossip and message channel on a free port of loopback.</summary>
internal sealed class TransportNode : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly Lock _gate = new();
    private readonly List<(Func<MembershipView, bool> Condition, TaskCompletionSource Done)> _waiting = [];
    private readonly Channel<(long Incarnation, NodeAddress From, byte[] Payload)> _received =
        Channel.CreateUnbounded<(long Incarnation, NodeAddress From, byte[] Payload)>();

    private TransportNode(NodeHttpServer server) => Server = server;

    public NodeHttpServer Server { get; }

    public required NodeModel Model { get; init; }

    public long Incarnation { get; private init; }

    public NodeAddress Address => Server.Address;

    public GossipRunner? Gossip { get; private set; }

    public PeerChannel? Peers { get; private set; }

    public List<MemberLost> Losses { get; } = [];

    public TaskCompletionSource<string> Refused { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static NodeModel NewModel(int port = 0) => new()
    {
        Address = new NodeAddress("127.0.0.1", port),
        // Two busy processors run the tests: what has to be told apart is a crash from life, not one hiccup from another.
        Membership = new MembershipModel { AcceptablePause = TimeSpan.FromSeconds(5), ProbeTimeout = TimeSpan.FromSeconds(2) },
    };

    public static async Task<TransportNode> ListenAsync(long incarnation, NodeModel model)
    {
        NodeHttpServer server = new(model, _ => { }, NullLoggerFactory.Instance, TimeProvider.System);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return new TransportNode(server) { Model = model, Incarnation = incarnation };
    }

    /// <summary>Joins through the seeds; without seeds it founds.</summary>
    public TransportNode Join(Func<long, bool?> lifeLock, params NodeAddress[] seeds)
    {
        GossipSettings settings = new()
        {
            Model = Model with { SeedNodes = seeds },
            Incarnation = Incarnation,
            Address = Address,
            Name = $"n{Incarnation}",
            LifeLock = (life, _) => Task.FromResult(lifeLock(life)),
            ViewChanged = OnView,
            Lost = Losses.Add,
            Refused = reason => Refused.TrySetResult(reason),
        };
        Gossip = new GossipRunner(settings, Server, NullLoggerFactory.Instance, TimeProvider.System);
        Gossip.Start();
        Gossip.ChangeSelf(MemberState.Up, false);
        return this;
    }

    public TransportNode OpenChannel()
    {
        Peers = new PeerChannel(
            Model,
            Incarnation,
            Server,
            (life, from, payload) => _received.Writer.TryWrite((life, from, payload.ToArray())),
            NullLoggerFactory.Instance,
            TimeProvider.System);
        return this;
    }

    public async Task<(long Incarnation, NodeAddress From, byte[] Payload)> ReceiveAsync() =>
        await _received.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline, TimeProvider.System);

    /// <summary>Waits for a view.</summary>
    public Task SeesAsync(Func<MembershipView, bool> condition)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (condition(Gossip!.View))
            {
                return Task.CompletedTask;
            }

            _waiting.Add((condition, done));
        }

        return done.Task.WaitAsync(Deadline, TimeProvider.System);
    }

    public Task SeesAsync(TransportNode other, MemberState state) => SeesAsync(view => view.Find(other.Incarnation)?.State == state);

    /// <summary>Ends as a killed process does: connections reset, nobody listens.</summary>
    public async Task CrashAsync()
    {
        await Gossip!.AbortAsync();
        await Server.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Gossip is not null)
        {
            await Gossip.DisposeAsync();
        }

        if (Peers is not null)
        {
            await Peers.DisposeAsync();
        }

        await Server.DisposeAsync();
    }

    private void OnView(MembershipView view)
    {
        lock (_gate)
        {
            foreach ((Func<MembershipView, bool> condition, TaskCompletionSource done) in _waiting)
            {
                if (condition(view))
                {
                    done.TrySetResult();
                }
            }
        }
    }
}
