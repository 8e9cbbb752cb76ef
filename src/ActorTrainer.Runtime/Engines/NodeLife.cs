using System.Collections.Concurrent;
using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Runtime.Transport;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Engines;

/// <summary>
/// One life of the node: a journal with its life lock, gossip, messages, and the loop between them. The server, the workers and the store
/// outlive it.
/// </summary>
internal sealed partial class NodeLife : IAsyncDisposable
{
    private readonly NodeModel _model;
    private readonly IJournal _journal;
    private readonly LoopThread _loop;
    private readonly GossipRunner _gossip;
    private readonly PeerChannel _peers;
    private readonly TaskEffects _effects;
    private readonly ILogger _logger;
    private readonly Action<MembershipView> _viewChanged;
    private readonly CancellationTokenSource _over = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<CommandReply>> _clients = new();
    private readonly TaskCompletionSource<EndLife> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastClient;
    private volatile ClusterRows _rows = ClusterRows.Empty;

    /// <param name="parts">What outlives this life.</param>
    /// <param name="journal">This life's journal; disposed of with it.</param>
    /// <param name="incarnation">This life's number; its life lock is held.</param>
    /// <param name="refused">Called when the seeds refuse this node for good.</param>
    public NodeLife(EngineParts parts, IJournal journal, long incarnation, Action<string> refused)
    {
        _model = parts.Model;
        _viewChanged = parts.ViewChanged;
        _journal = journal;
        Incarnation = incarnation;
        _logger = parts.Loggers.CreateLogger<NodeLife>();
        ulong seed = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)));
        _loop = new LoopThread(new NodeLoop(_model, incarnation), Start, seed, parts.Time, parts.Loggers.CreateLogger<LoopThread>());
        _effects = new TaskEffects(parts.Workers, parts.Store, PostTask, parts.Loggers.CreateLogger<TaskEffects>(), _over.Token);
        _peers = new PeerChannel(_model, incarnation, parts.Server, OnPeer, parts.Loggers, parts.Time);
        GossipSettings settings = new()
        {
            Model = _model,
            Incarnation = incarnation,
            Address = _model.Address,
            Name = _model.NodeName,
            LifeLock = journal.IsLifeLockFreeAsync,
            ViewChanged = OnView,
            Lost = lost => journal.ConfirmDown(lost.Incarnation),
            Refused = refused,
            Seed = seed,
        };
        _gossip = new GossipRunner(settings, parts.Server, parts.Loggers, parts.Time);
    }

    public long Incarnation { get; }

    public MembershipView View => _gossip.View;

    public ClusterRows Rows => _rows;

    /// <summary>Ends when this life does.</summary>
    public Task<EndLife> Ended => _ended.Task;

    public void Begin()
    {
        _loop.Start();
        _gossip.Start();
    }

    public void PostTask(TaskInput input) => _loop.Post(new TaskHappened(input));

    public void Stop(TimeSpan within) => _loop.Post(new StopNode(within));

    /// <summary>Asks the loop something that it answers once.</summary>
    public async Task<CommandReply> AskAsync(Func<long, NodeInput> input, CancellationToken cancellationToken)
    {
        long client = Interlocked.Increment(ref _lastClient);
        TaskCompletionSource<CommandReply> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _clients[client] = answer;
        _loop.Post(input(client));
        if (_ended.Task.IsCompleted)
        {
            answer.TrySetResult(new CommandUnavailable("this node is leaving"));
        }

        try
        {
            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _clients.TryRemove(client, out _);
        }
    }

    public Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken) => _journal.SendAsync(request, cancellationToken);

    /// <summary>Ends it: in order when it has left, otherwise without ceremony.</summary>
    public async ValueTask DisposeAsync()
    {
        bool left = _ended.Task.IsCompletedSuccessfully && (await _ended.Task).End == LifeEnd.Left;
        await _loop.StopAsync();
        if (left)
        {
            await _gossip.LeaveAsync();
        }
        else
        {
            await _gossip.DisposeAsync();
        }

        await _peers.DisposeAsync();
        await _over.CancelAsync();
        await _journal.DisposeAsync();
        _over.Dispose();
    }

    private void OnView(MembershipView view)
    {
        foreach (MemberRecord member in view.Members)
        {
            if (member.State == MemberState.Down)
            {
                _journal.ConfirmDown(member.Incarnation);
            }
        }

        _loop.Post(new ViewChanged(view));
        _viewChanged(view);
    }

    private void OnPeer(long fromIncarnation, NodeAddress from, ReadOnlyMemory<byte> payload)
    {
        NodeMessage? message = JsonSerializer.Deserialize(payload.Span, NodeJsonContext.Default.NodeMessage);
        if (message is not null)
        {
            _loop.Post(new PeerMessage(from, message));
        }
    }

    private void Start(NodeEffect effect)
    {
        switch (effect)
        {
            case AskJournal ask:
                _ = AskJournalAsync(ask);
                break;
            case TellPeer tell:
                _peers.Send(tell.To, JsonSerializer.SerializeToUtf8Bytes(tell.Message, NodeJsonContext.Default.NodeMessage));
                break;
            case AnswerClient answer when _clients.TryRemove(answer.Client, out TaskCompletionSource<CommandReply>? client):
                client.TrySetResult(answer.Reply);
                break;
            case StartTaskEffect start:
                _effects.Start(start.Effect);
                break;
            case LookAtLifeLock look:
                _ = LookAsync(look.Incarnation);
                break;
            case ChangeSelf change:
                _gossip.ChangeSelf(change.State, change.Cordoned);
                break;
            case DeclareMember declare:
                _gossip.Declare(declare.Incarnation, declare.State);
                break;
            case PublishRows publish:
                _rows = publish.Rows;
                break;
            case Notice notice:
                LogNotice(_logger, notice.Level == NoticeLevel.Warning ? LogLevel.Warning : LogLevel.Information, _model.NodeName, Incarnation, notice.Text);
                break;
            case EndLife end:
                End(end);
                break;
        }
    }

    private void End(EndLife end)
    {
        LogEnd(_logger, _model.NodeName, Incarnation, end.Reason);
        _ended.TrySetResult(end);
        foreach (TaskCompletionSource<CommandReply> client in _clients.Values)
        {
            client.TrySetResult(new CommandUnavailable("this node is leaving"));
        }
    }

    private async Task AskJournalAsync(AskJournal ask)
    {
        JournalReply reply;
        try
        {
            reply = await _journal.SendAsync(ask.Request, _over.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        if (reply is JournalFailed failed)
        {
            LogJournalFailed(_logger, ask.Request.GetType().Name, failed.Reason);
        }

        _loop.Post(new JournalAnswered(ask.Question, reply));
    }

    private async Task LookAsync(long incarnation)
    {
        bool? free = null;
        try
        {
            free = await _journal.IsLifeLockFreeAsync(incarnation, _over.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (IOException e)
        {
            LogJournalFailed(_logger, nameof(LookAtLifeLock), e.Message);
        }

        _loop.Post(new LifeLockSeen(incarnation, free));
    }
}
