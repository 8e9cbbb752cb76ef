using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Runtime.Api;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Engines;

/// <summary>
/// Gossip, a journal in SQL and the node's loop, all in this process. When the others counted the node as lost (it was stopped, or cut off)
/// it begins another life by itself.
/// </summary>
internal sealed partial class EmbeddedEngine(EngineParts parts) : IEngine
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RefusedWithin = TimeSpan.FromSeconds(8);
    private const string BetweenLives = "this node is between two lives; ask again";

    private readonly ILogger _logger = parts.Loggers.CreateLogger<EmbeddedEngine>();
    private readonly CancellationTokenSource _stopping = new();
    private volatile NodeLife? _life;
    private volatile string? _refusal;

    public long Incarnation => _life?.Incarnation ?? 0;

    public MembershipView Membership => _life?.View ?? new MembershipView(0, 0, [], []);

    public ClusterRows Cluster => _life?.Rows ?? ClusterRows.Empty;

    public Task<EngineEnd> Ended { get; private set; } = Task.FromResult(new EngineEnd(0, null));

    /// <exception cref="JournalOpenException">The journal cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        NodeLife life = await BeginLifeAsync(cancellationToken);
        Ended = Task.Run(() => LiveAsync(life), CancellationToken.None);
    }

    public void Leave(TimeSpan within)
    {
        _stopping.Cancel();
        _life?.Stop(within);
    }

    public void Post(TaskInput input) => _life?.PostTask(input);

    public Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken) =>
        AskLoopAsync(client => new ClientSubmit(client, spec, TaskSpecHash.Compute(spec)), cancellationToken);

    public Task<CommandReply> AskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken) =>
        AskLoopAsync(client => new ClientCommand(client, task, command), cancellationToken);

    public Task<CommandReply> AskNodeAsync(NodeAddress node, NodeCommandKind kind, CancellationToken cancellationToken) =>
        AskLoopAsync(client => new ClientNodeCommand(client, node, kind), cancellationToken);

    public Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken) =>
        _life is { } life ? life.ReadAsync(request, cancellationToken) : Task.FromResult<JournalReply>(new JournalFailed(BetweenLives));

    public ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<CommandReply> AskLoopAsync(Func<long, NodeInput> input, CancellationToken cancellationToken) =>
        _life is { } life ? await life.AskAsync(input, cancellationToken) : new CommandUnavailable(BetweenLives);

    private async Task<NodeLife> BeginLifeAsync(CancellationToken cancellationToken)
    {
        NodeModel model = parts.Model;
        SqliteJournal journal = await SqliteJournal.OpenAsync(
            model.Journal.Path, model.Sharding.NumberOfShards, parts.Time, parts.Loggers.CreateLogger<SqliteJournal>(), cancellationToken);
        try
        {
            MemberRow row = new(
                0, model.Address, model.NodeName, model.Roles, model.Slots, MemberStatus.Joining, false, Environment.ProcessId, ApiEndpoints.ProductVersion);
            JournalReply reply = await journal.SendAsync(new RegisterRequest(row), cancellationToken);
            if (reply is not RegisterReply registered)
            {
                throw new JournalOpenException(
                    JournalOpenFailure.Locked,
                    $"{model.Journal.Path}: this node could not be registered: {(reply as JournalFailed)?.Reason ?? "no answer"}");
            }

            await journal.HoldLifeLockAsync(registered.Incarnation, cancellationToken);
            NodeLife life = new(parts, journal, registered.Incarnation, OnRefused);
            _life = life;
            life.Begin();
            return life;
        }
        catch
        {
            await journal.DisposeAsync();
            throw;
        }
    }

    private void OnRefused(string reason)
    {
        _refusal = reason;
        LogRefused(_logger, reason);
        Leave(RefusedWithin);
    }

    /// <summary>Life after life, until one ends in order or cannot be followed by another.</summary>
    private async Task<EngineEnd> LiveAsync(NodeLife life)
    {
        while (true)
        {
            EndLife end = await life.Ended;
            if (end.End != LifeEnd.Left)
            {
                await parts.Workers.StopAllAsync(TimeSpan.Zero, CancellationToken.None);
            }

            await life.DisposeAsync();
            if (end.End != LifeEnd.Rejoin || _stopping.IsCancellationRequested)
            {
                return _refusal is { } refusal ? new EngineEnd(2, refusal)
                    : end.End == LifeEnd.Broken ? new EngineEnd(1, end.Reason)
                    : new EngineEnd(0, null);
            }

            _life = null;
            if (await AnotherLifeAsync() is not { } next)
            {
                return new EngineEnd(0, null);
            }

            life = next;
        }
    }

    private async Task<NodeLife?> AnotherLifeAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                return await BeginLifeAsync(_stopping.Token);
            }
            catch (JournalOpenException e)
            {
                LogNoLife(_logger, e.Message);
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            await Task.Delay(AgainAfter, parts.Time, CancellationToken.None);
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the cluster refuses this node: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot begin another life yet: {Reason}")]
    private static partial void LogNoLife(ILogger logger, string reason);
}
