using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using MemberStatus = ActorTrainer.Core.Membership.MemberStatus;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster;

/// <content>How a life ends in order: its tasks move, its region shuts down, it leaves the cluster.</content>
internal sealed partial class ClusterSession
{
    /// <summary>Hands everything over and goes. Only the first call does anything.</summary>
    /// <param name="within">How long the hand-over may take; what is left then goes on elsewhere from its last checkpoint.</param>
    public async Task LeaveAsync(TimeSpan within)
    {
        if (Interlocked.Exchange(ref _leaving, 1) != 0)
        {
            return;
        }

        LogLeaving(_logger, _parts.Model.NodeName, Incarnation);
        bool late = true;
        try
        {
            _host.AnnounceLeave();
            _host.Slots.Tell(CloseSlots.Instance);
            long started = _parts.Time.GetTimestamp();
            TimeSpan inOrder = within * InOrderShare;
            await SayLeavingAsync(inOrder);
            await MoveAwayAsync(inOrder - _parts.Time.GetElapsedTime(started));
            late = !await HandOverAsync(within - _parts.Time.GetElapsedTime(started));
            await SetStatusAsync(MemberStatus.Removed);
            if (_ownSystem)
            {
                Task shutdown = CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ClusterLeavingReason.Instance);
                await shutdown.WaitAsync(SystemWithin, _parts.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            _ended.TrySetResult(
                late
                    ? "its time to leave was over before everything was handed over; the rest goes on from the last checkpoints"
                    : "has handed over everything"
            );
        }
    }

    /// <summary>Nobody moves anything away before the row says that it leaves: while the journal is away it is tried again.</summary>
    private async Task SayLeavingAsync(TimeSpan within)
    {
        long started = _parts.Time.GetTimestamp();
        while (
            !await SetStatusAsync(MemberStatus.Leaving)
            && _parts.Time.GetElapsedTime(started) < within
            && !System.WhenTerminated.IsCompleted
        )
        {
            await Task.Delay(CheckEvery, _parts.Time);
        }
    }

    /// <summary>
    /// The coordinator moves what runs here, highest priority first and a few at a time, each to a node that is ready for it. Ends when
    /// nothing runs here any more and what was moved has started elsewhere, or there is nobody to take it.
    /// </summary>
    private async Task MoveAwayAsync(TimeSpan within)
    {
        long started = _parts.Time.GetTimestamp();
        HashSet<TaskId> moved = [];
        while (
            _parts.Time.GetElapsedTime(started) < within
            && !System.WhenTerminated.IsCompleted
            && PlacementInputs.Capacities(_view).Any(n => n.Accepts && n.Incarnation != Incarnation)
            && Index.RestlessOf(Incarnation).Where(row => row.Summary.Status == TaskStatus.Running).ToList() is { Count: > 0 } running
        )
        {
            moved.UnionWith(running.Select(row => row.Summary.Task));
            await Task.Delay(CheckEvery, _parts.Time);
        }

        // The end of an actor system is work for the processor, which nodes of the same machine need for those starts.
        long empty = _parts.Time.GetTimestamp();
        while (
            _parts.Time.GetElapsedTime(empty) < StartsElsewhereWithin
            && !System.WhenTerminated.IsCompleted
            && moved.Any(task => Index.Find(task) is { Summary.Status: TaskStatus.Pending })
        )
        {
            await Task.Delay(CheckEvery, _parts.Time);
        }
    }

    /// <summary>
    /// Akka's graceful shutdown of the region: every task saves and stops, every shard goes to another node. False: not in time.
    /// </summary>
    private async Task<bool> HandOverAsync(TimeSpan within)
    {
        if (System.WhenTerminated.IsCompleted || Region.IsNobody())
        {
            return true;
        }

        using CancellationTokenSource limit = new(within, _parts.Time);
        Task<bool> stopped = Region.WatchAsync(limit.Token);
        Region.Tell(GracefulShutdown.Instance);
        try
        {
            return await stopped;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            // Whatever is left stops now; its workers with it.
            System.Stop(Region);
        }
    }

    /// <summary>Writes down how this life stands. False: the database did not take it.</summary>
    private async Task<bool> SetStatusAsync(MemberStatus status)
    {
        using CancellationTokenSource limit = new(StatusWithin, _parts.Time);
        try
        {
            await _members.SetStatusAsync(Incarnation, status, limit.Token);
            return true;
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e))
        {
            LogStatusNotWritten(_logger, status, e.Message);
            return false;
        }
    }
}
