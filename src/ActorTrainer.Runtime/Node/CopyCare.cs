using System.Globalization;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// Sees to it that the checkpoints and bundles of this node's tasks stand at as many nodes as they should: when a node has come or
/// gone, or a task has come to this node, it looks which copies are missing and has them made.
/// </summary>
/// <param name="client">Says who the others are, and which checkpoints there are.</param>
/// <param name="store">The store with copies.</param>
/// <param name="bundles">The bundles with copies.</param>
/// <param name="peers">The others.</param>
/// <param name="folder">Says whose this node's folder is.</param>
/// <param name="copies">How many nodes are to have each checkpoint.</param>
/// <param name="time">The clock.</param>
/// <param name="report">Told what is to be said.</param>
internal sealed class CopyCare(
    ITaskClient client,
    TieredStore store,
    PeerBundles bundles,
    IPeers peers,
    FolderOwner folder,
    int copies,
    TimeProvider time,
    Action<TierNotice> report
) : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FolderEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BundlesAgainAfter = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private string _seen = "";
    private string _mended = "";
    private long? _failed;
    private long? _folderSeen;
    private string _bundlesKept = "";
    private long? _bundlesFailed;
    private bool _few;
    private bool _fails;

    /// <summary>The bundles of this cluster's tasks, as far as they were asked for; null: one has none.</summary>
    private readonly Dictionary<TaskId, string?> _hashes = [];

    /// <summary>Begins to look.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(LookEvery, time);
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            await LookAsync(_stopping.Token);
        }
    }

    /// <summary>Mends once nothing has changed for a while: what was lost is first gone on with.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        ClusterView view = client.View;
        if (!peers.IsJoined)
        {
            return;
        }

        IReadOnlyList<NodeAddress> living = peers.Living;
        SayWhenFew(living.Count + 1);
        if (_folderSeen is not { } seen || time.GetElapsedTime(seen) >= FolderEvery)
        {
            _folderSeen = time.GetTimestamp();
            folder.Look();
        }

        IReadOnlySet<int> shards = OwnTasks.Shards(view);
        Dictionary<TaskId, bool> owned = view.Tasks.ToDictionary(task => task.Task, task => shards.Contains(task.Shard));
        IEnumerable<TaskId> own = owned.Where(task => task.Value).Select(task => task.Key).Order();
        string now = $"{string.Join(',', living)} {string.Join(',', own)}";
        bool stands = now == _seen;
        _seen = now;
        if (stands && IsDue(now == _mended, _failed, AgainAfter))
        {
            _failed = await TryAsync(MendAsync, owned, cancellationToken) ? null : time.GetTimestamp();
            _mended = now;
        }

        if (stands && IsDue(now == _bundlesKept, _bundlesFailed, BundlesAgainAfter))
        {
            _bundlesFailed = await TryAsync(KeepBundlesAsync, owned, cancellationToken) ? null : time.GetTimestamp();
            _bundlesKept = now;
        }
    }

    private bool IsDue(bool isDone, long? failed, TimeSpan againAfter) =>
        failed is { } at ? time.GetElapsedTime(at) >= againAfter : !isDone;

    /// <returns>Whether nothing is left to be looked at.</returns>
    private async Task<bool> MendAsync(Dictionary<TaskId, bool> owned, CancellationToken cancellationToken)
    {
        Dictionary<(TaskId Task, string Checkpoint), string> failed = [];
        foreach (IGrouping<TaskId, CheckpointListing> task in await WholeAsync(cancellationToken))
        {
            if (IsMine(task.Key, owned))
            {
                CheckpointRef[] listed = [.. task.Select(listing => listing.Checkpoint)];
                foreach ((string name, string problem) in await store.MendAsync(task.Key, listed, cancellationToken))
                {
                    failed[(task.Key, name)] = problem;
                }
            }
        }

        if (failed.Count > 0)
        {
            // What was removed since needs no copy any more: a task that saves every second has other checkpoints by now.
            HashSet<(TaskId Task, string Checkpoint)> still =
            [
                .. (await WholeAsync(cancellationToken))
                    .SelectMany(task => task)
                    .Select(listing => (listing.Task, listing.Checkpoint.Name)),
            ];
            failed = failed.Where(one => still.Contains(one.Key)).ToDictionary();
        }

        SayWhatFails(failed);
        return failed.Count == 0;
    }

    /// <summary>The checkpoints that are not damaged, by task.</summary>
    private async Task<IEnumerable<IGrouping<TaskId, CheckpointListing>>> WholeAsync(CancellationToken cancellationToken) =>
        (await client.ListCheckpointsAsync(task: null, cancellationToken))
            .Where(listing => !listing.Damaged)
            .GroupBy(listing => listing.Task);

    private void SayWhatFails(Dictionary<(TaskId Task, string Checkpoint), string> failed)
    {
        if (failed.Count > 0 == _fails)
        {
            return;
        }

        _fails = failed.Count > 0;
        ((TaskId task, string checkpoint), string problem) = failed.FirstOrDefault();
        report(
            _fails
                ? new TierNotice(
                    true,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"copies of {failed.Count} checkpoints could not be made, and are tried again. "
                            + $"{checkpoint} of {task}: {problem}"
                    )
                )
                : new TierNotice(false, "the copies of checkpoints that could not be made are made now")
        );
    }

    /// <summary>Whatever fails is tried again: nothing would be copied any more if it ended the loop.</summary>
    private static async Task<bool> TryAsync(
        Func<Dictionary<TaskId, bool>, CancellationToken, Task<bool>> work,
        Dictionary<TaskId, bool> owned,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await work(owned, cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <returns>Whether enough nodes have the bundles of all tasks of this node that have not ended.</returns>
    private async Task<bool> KeepBundlesAsync(Dictionary<TaskId, bool> owned, CancellationToken cancellationToken)
    {
        foreach (TaskId ended in _hashes.Keys.Where(task => !owned.ContainsKey(task)).ToArray())
        {
            _ = _hashes.Remove(ended);
        }

        HashSet<string> wanted = new(StringComparer.Ordinal);
        foreach (TaskId task in owned.Where(task => task.Value).Select(task => task.Key))
        {
            if (!_hashes.TryGetValue(task, out string? hash))
            {
                IReadOnlyList<EventRow> first = await client.ReadEventsAsync(task, 0, 1, cancellationToken);
                if (first is not [{ Event: TaskSubmitted submitted }])
                {
                    continue;
                }

                hash = submitted.Spec.Bundle?.Hash;
                _hashes.Add(task, hash);
            }

            if (hash is not null)
            {
                _ = wanted.Add(hash);
            }
        }

        bool all = true;
        foreach (string hash in wanted)
        {
            all &= await bundles.KeepAsync(hash, cancellationToken);
        }

        return all || peers.Living.Count + 1 < copies;
    }

    /// <summary>A task that has ended has no owner: the first of the nodes that its id gives sees to it.</summary>
    private bool IsMine(TaskId task, Dictionary<TaskId, bool> owned) =>
        owned.TryGetValue(task, out bool own)
            ? own
            : PeerOrder.Of(task.Value, new NodeAddress("", 0), [peers.Self, .. peers.Living])[0] == peers.Self;

    private void SayWhenFew(int nodes)
    {
        if (nodes < copies == _few)
        {
            return;
        }

        _few = nodes < copies;
        report(
            new TierNotice(
                _few,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"checkpoints are kept by {Math.Min(nodes, copies)} of {copies} nodes (actortrainer.checkpoints.copies): "
                ) + (_few ? "there are no more; start another one" : "there are enough again")
            )
        );
    }
}
