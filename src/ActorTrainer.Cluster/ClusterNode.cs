using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster;

/// <summary>
/// A node of the cluster: membership, sharding and persistence by Akka.NET, and one <see cref="TaskEntity"/> per task on the node that owns
/// it. The process around it has the HTTP server, the workers and the checkpoint store. When the cluster has downed the node (it was
/// stopped, or cut off) it begins another life by itself, unless the actor system is the host's own.
/// </summary>
/// <param name="parts">What it uses of the process.</param>
/// <param name="existing">The host's own actor system; null: one is made, under the cluster's name.</param>
/// <remarks>
/// The events of a step are persisted before they are committed, the effects start after that, and what an owner of an older term writes is
/// refused.
/// </remarks>
public sealed partial class ClusterNode(ClusterNodeParts parts, ActorSystem? existing) : IAsyncDisposable
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);

    private readonly ILogger _logger = parts.Loggers.CreateLogger<ClusterNode>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _over = new();
    private JournalDatabase? _database;
    private TimeSpan _leaveWithin;
    private volatile ClusterSession? _session;

    /// <summary>Ends when the node has: it has left in order, or cannot go on. Completed as long as it has not been started.</summary>
    public Task<ClusterNodeEnd> Ended { get; private set; } = Task.FromResult(new ClusterNodeEnd(0, null));

    /// <summary>Opens the journal, and makes it where there is none. Called once, before <see cref="StartAsync"/>.</summary>
    /// <exception cref="IOException">The host's actor system cannot hold tasks.</exception>
    /// <exception cref="JournalOpenException">The journal cannot be used.</exception>
    public async Task<JournalIdentity> OpenJournalAsync(CancellationToken cancellationToken)
    {
        if (existing is not null)
        {
            HostSystem.Check(existing);
        }

        _database = JournalDatabase.Of(parts.Model.Journal);
        return parts.Client.Journal = new JournalIdentity(
            await JournalSchema.EnsureAsync(_database, parts.Model, cancellationToken),
            _database.Name
        );
    }

    /// <summary>Joins the cluster and begins to own tasks. Called once.</summary>
    /// <exception cref="IOException">Akka.Remote's address is in use.</exception>
    /// <exception cref="JournalOpenException">The journal cannot be used.</exception>
    /// <exception cref="ConfigException">The configuration contradicts itself.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        ClusterSession session = await FirstSessionAsync(cancellationToken);
        Ended = Task.Run(() => RunSessionsAsync(session), CancellationToken.None);
        _ = Task.Run(PollAsync, CancellationToken.None);
    }

    /// <summary>Begins to leave: save, hand over, go, as far as the time allows. <see cref="Ended"/> follows.</summary>
    /// <param name="within">How long it may take. What is not handed over goes on elsewhere from its last checkpoint.</param>
    public void Leave(TimeSpan within)
    {
        _leaveWithin = within;
        _stopping.Cancel();
        LeaveIfAsked();
    }

    /// <summary>Gives a task what became of one of its effects. Of a task that is not here any more it is dropped.</summary>
    public void Post(TaskInput input) => _session?.Post(input);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _over.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Does what is asked of this node, by a client here or by another node.</summary>
    private async Task<CommandReply> ExecuteAsync(NodeCommandKind kind)
    {
        if (_session is not { } session)
        {
            return new CommandUnavailable(TaskClient.BetweenLives);
        }

        if (kind == NodeCommandKind.Drain)
        {
            Leave(parts.Model.Sharding.DrainTimeout);
            return new CommandAccepted(default);
        }

        try
        {
            await session.CordonAsync(kind == NodeCommandKind.Cordon, _over.Token);
            return new CommandAccepted(default);
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e))
        {
            return new CommandUnavailable(e.Message);
        }
    }

    private async Task<ClusterSession> BeginSessionAsync(CancellationToken cancellationToken)
    {
        ClusterSession session = await ClusterSession.BeginAsync(parts, _database!, existing, ExecuteAsync, cancellationToken);
        _session = session;
        parts.Client.Attach(session);

        // It may have been asked to go while this life was being made.
        LeaveIfAsked();
        return session;
    }

    /// <summary>The journal was there a moment ago: one that takes no writes just now is waited for, as long as a user would.</summary>
    private async Task<ClusterSession> FirstSessionAsync(CancellationToken cancellationToken)
    {
        long started = parts.Time.GetTimestamp();
        try
        {
            return await BeginWhenPossibleAsync(
                e => DatabaseErrors.IsAway(e) && parts.Time.GetElapsedTime(started) <= FirstWithin,
                cancellationToken
            );
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
        {
            throw new JournalOpenException(
                JournalOpenFailure.Locked,
                $"The journal {_database!.Name} took nothing for {FirstWithin.TotalSeconds:0} s: {e.Message}. "
                    + "Look for a program that has locked it, and whether this user may write it; then start the node again.",
                e
            );
        }
    }

    /// <summary>The life after one that has ended; null: this node goes.</summary>
    private async Task<ClusterSession?> NextSessionAsync()
    {
        try
        {
            return await BeginWhenPossibleAsync(MayPass, _stopping.Token);
        }
        catch (Exception e) when (MayPass(e) && _stopping.IsCancellationRequested)
        {
            return null;
        }

        static bool MayPass(Exception e) => e is IOException || DatabaseErrors.IsAway(e);
    }

    /// <summary>Begins a life, again and again while what prevents it may pass.</summary>
    private async Task<ClusterSession> BeginWhenPossibleAsync(Func<Exception, bool> mayPass, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await BeginSessionAsync(cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && mayPass(e))
            {
                LogNoSession(_logger, e.Message);
            }

            await Task.Delay(AgainAfter, parts.Time, cancellationToken);
        }
    }

    private void LeaveIfAsked()
    {
        if (_stopping.IsCancellationRequested && _session is { } session)
        {
            _ = Task.Run(() => session.LeaveAsync(_leaveWithin), CancellationToken.None);
        }
    }

    /// <summary>Begins the next life when one has ended, until one ends in order or cannot be followed.</summary>
    private async Task<ClusterNodeEnd> RunSessionsAsync(ClusterSession session)
    {
        while (true)
        {
            string reason = await session.Ended;
            LogEnd(_logger, parts.Model.NodeName, session.Incarnation, reason);
            if (!session.IsLeaving)
            {
                await parts.Workers.StopAllAsync(TimeSpan.Zero, CancellationToken.None);
            }

            await session.DisposeAsync();
            if (session.IsLeaving || _stopping.IsCancellationRequested)
            {
                return new ClusterNodeEnd(0, null);
            }

            _session = null;
            parts.Client.Detach();
            if (session.IsLast)
            {
                return new ClusterNodeEnd(1, $"{reason} Stop all nodes before a journal is restored, then start them.");
            }

            if (existing is not null)
            {
                return new ClusterNodeEnd(1, $"the node in the host's actor system '{existing.Name}' has ended: {reason}");
            }

            if (await NextSessionAsync() is not { } next)
            {
                return new ClusterNodeEnd(0, null);
            }

            session = next;
        }
    }

    /// <summary>Polls twice a second what no event tells.</summary>
    private async Task PollAsync()
    {
        using PeriodicTimer timer = new(PollEvery, parts.Time);
        try
        {
            do
            {
                if (_session is { } session)
                {
                    Poll(session);
                }
            } while (await timer.WaitForNextTickAsync(_over.Token));
        }
        catch (OperationCanceledException)
        {
            // The node has ended.
        }
    }

    /// <summary>Whatever goes wrong in one poll, the next must follow.</summary>
    private void Poll(ClusterSession session)
    {
        try
        {
            session.Poll();
        }
        catch (Exception e) when (!_over.IsCancellationRequested)
        {
            LogPollFailed(_logger, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not look for a stopped process that holds the journal: {Reason}")]
    private static partial void LogPollFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Node} (life {Incarnation}) ends: {Reason}")]
    private static partial void LogEnd(ILogger logger, string node, long incarnation, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot begin a life yet: {Reason}")]
    private static partial void LogNoSession(ILogger logger, string reason);
}
