using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Samples.Demo;

/// <summary>
/// Looks at the cluster through its API, as anyone outside can, and writes down what was acknowledged: events (checkpoints among them)
/// and progress.
/// </summary>
internal sealed class Observer(IReadOnlyList<NodeProcess> nodes, ActorTrainerClient client, Func<TimeSpan> clock)
{
    private readonly Dictionary<int, MemberView> _members = [];

    public List<TaskRecord> Tasks { get; } = [];

    /// <summary>The newest life of a node as it was last told, or null.</summary>
    public MemberView? Member(NodeProcess node) => _members.GetValueOrDefault(node.Number);

    /// <summary>One look at everything. What does not answer now is asked again with the next look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<TaskView>?[] lists = await Task.WhenAll(
            nodes
                .Where(node => node.IsRunning)
                .Select(node => TryAsync(async () => (await node.Client.ListTasksAsync(cancellationToken: cancellationToken)).Tasks))
        );
        TakeMembers(await TryAsync(() => client.GetClusterAsync(cancellationToken)));
        foreach (TaskRecord task in Tasks)
        {
            // A node's own progress of a task that it runs, else what the journal says.
            TaskView? newest = lists
                .SelectMany(list => list ?? [])
                .Where(view => view.Name == task.Name)
                .OrderByDescending(view => view.ChangedAt)
                .ThenByDescending(view => view.Runs)
                .ThenByDescending(view => view.Live)
                .FirstOrDefault();
            if (newest is not null && task.Take(newest, clock()))
            {
                await ReadEventsAsync(task, cancellationToken);
            }
        }
    }

    /// <summary>A node that has just joined does not know all lives yet, so an older life never takes the place of a newer one.</summary>
    private void TakeMembers(ClusterStatus? status)
    {
        foreach (NodeProcess node in nodes)
        {
            MemberView? told = status?.Members.Where(m => m.Address == node.Address).MaxBy(m => m.Incarnation);
            if (told is not null && told.Incarnation >= (Member(node)?.Incarnation ?? 0))
            {
                _members[node.Number] = told;
            }
        }
    }

    /// <summary>Reads the events that are new; until there are none.</summary>
    private async Task ReadEventsAsync(TaskRecord task, CancellationToken cancellationToken)
    {
        while (
            await TryAsync(() =>
                client.ListEventsAsync(task.Name, task.Events.Count == 0 ? 0 : task.Events[^1].Sequence, cancellationToken)
            )
                is { Events.Count: > 0 } page
        )
        {
            foreach (EventRow row in page.Events)
            {
                task.Take(row, clock());
            }
        }
    }

    /// <summary>Waits until a node's life is known as lost by one that answers.</summary>
    public static async Task<TimeSpan> WaitForDownAsync(
        ActorTrainerClient survivors,
        long incarnation,
        Func<TimeSpan> clock,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            ClusterStatus? status = await TryAsync(() => survivors.GetClusterAsync(cancellationToken));
            if (
                status is not null
                && status.Members.All(m => m.Incarnation != incarnation || m.State is MemberState.Down or MemberState.Removed)
            )
            {
                return clock();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    private static async Task<T?> TryAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (ActorTrainerClient.IsTransient(e))
        {
            return null;
        }
    }
}
