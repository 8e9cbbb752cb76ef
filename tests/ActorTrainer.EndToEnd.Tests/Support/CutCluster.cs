using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using Microsoft.Data.Sqlite;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests.Support;

/// <summary>A cluster of which every node trains, and what has to be true of it when its network is cut and healed.</summary>
internal sealed class CutCluster : IDisposable
{
    /// <summary>Silence is known after 2 s; the rest is for a machine that is busy.</summary>
    private static readonly TimeSpan AloneWithin = TimeSpan.FromSeconds(20);

    /// <summary><c>sharding.self-fence-after</c>: so long two workers of a task may be alive.</summary>
    private static readonly TimeSpan FencedWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly LocalCluster _cluster;
    private readonly Action<string> _log;
    private readonly List<ObservedTask> _tasks = [];
    private readonly Dictionary<LocalNode, ActorTrainerClient> _clients;
    private readonly Dictionary<LocalNode, long> _lives = [];
    private IReadOnlyList<LocalNode> _winners = [];
    private long _epoch;

    private CutCluster(LocalCluster cluster, Action<string> log)
    {
        _cluster = cluster;
        _log = log;
        _clients = cluster.Nodes.ToDictionary(node => node, node => cluster.ClientOf(node));
    }

    /// <summary>In the order in which they were submitted; every node has at least one.</summary>
    public IReadOnlyList<ObservedTask> Tasks => _tasks;

    /// <summary>Starts the nodes, and tasks until each node has one; all have committed a checkpoint then.</summary>
    public static async Task<CutCluster> StartAsync(LocalCluster cluster, Action<string> log)
    {
        CutCluster cut = new(cluster, log);
        await cluster.StartAsync();
        while (cut._tasks.Select(cut.NodeOf).Distinct().Count() < cluster.Nodes.Count)
        {
            // Half of the nodes have slots for all of these.
            cut._tasks.Count.ShouldBeLessThan(2 * cluster.Nodes.Count, "no task has come to one of the nodes");
            string name = $"task{cut._tasks.Count + 1}";
            ScriptedSettings settings = new() { UntilFile = cut.EndOf(name) };
            ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted(name, settings));
            await task.WaitForStartAsync(after: 0);
            cut._tasks.Add(task);
        }

        foreach (ObservedTask task in cut._tasks)
        {
            await task.WaitForCheckpointAsync();
        }

        foreach ((LocalNode node, ActorTrainerClient client) in cut._clients)
        {
            cut._lives[node] = (await client.GetClusterAsync()).Self;
        }

        cut._epoch = await cut.ReadAsync("epoch");
        return cut;
    }

    /// <summary>The node at which a task runs.</summary>
    public LocalNode NodeOf(ObservedTask task) => _cluster.Nodes.Single(node => node.Address == task.Starts[^1].Node);

    /// <summary>How many decisions about members that are not reached the journal has taken.</summary>
    public Task<long> DecisionsAsync() => ReadAsync("decision");

    /// <summary>
    /// Waits until one of the sides has gone on alone: its nodes see each other and nobody else, in the lives in which they were, and the
    /// lives of all others have ended.
    /// </summary>
    public async Task WaitUntilAloneAsync(params IReadOnlyList<IReadOnlyList<LocalNode>> sides)
    {
        long started = TimeProvider.System.GetTimestamp();
        await _cluster.WaitAsync(
            "one side goes on, and the lives of the other have ended",
            async () =>
            {
                Dictionary<LocalNode, ClusterStatus> seen = [];
                foreach ((LocalNode node, ActorTrainerClient client) in _clients)
                {
                    seen[node] = await client.GetClusterAsync();
                }

                _winners = sides.FirstOrDefault(side => side.All(node => IsClusterOf(seen[node], node, side))) ?? [];
                return _winners.Count > 0 && _cluster.Nodes.Except(_winners).All(node => seen[node].Self != _lives[node]);
            },
            AloneWithin
        );
        string side = string.Join(", ", _winners.Select(node => node.Number));
        _log($"alone after {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s: {side}");
    }

    /// <summary>
    /// Waits until the tasks of the lost side train at the other one, whose own were not interrupted, and all have committed another
    /// checkpoint; of a task that was taken over the worker before has ended.
    /// </summary>
    public async Task WaitForTakenTasksAsync()
    {
        long alone = TimeProvider.System.GetTimestamp();
        using ActorTrainerClient winners = _cluster.ClientOf(_winners);
        foreach (ObservedTask task in _tasks.OrderBy(task => _winners.Contains(NodeOf(task))))
        {
            bool taken = !_winners.Contains(NodeOf(task));
            if (taken)
            {
                TaskStarted second = await task.WaitForStartAsync(after: 1, winners);
                _winners.ShouldContain(NodeOf(task), task.ToString());
                await _cluster.WaitAsync(
                    $"the worker of the lost side ends ({task.Name})",
                    () => Task.FromResult(ProcessInfo.Read(task.Starts[0].Pid) is null),
                    FencedWithin
                );
                second.RestoredStep.ShouldBeGreaterThan(0);
            }

            int saved = task.Checkpoints.Count;
            await task.WaitAsync("another checkpoint", t => t.Checkpoints.Count > saved && t.RunsWithoutCheckpoint == 0, winners);
            task.Starts.Count.ShouldBe(taken ? 2 : 1, task.ToString());
        }

        _log($"all tasks have a new checkpoint {TimeProvider.System.GetElapsedTime(alone).TotalSeconds:0.0} s after that");
    }

    /// <summary>
    /// After the network was healed: all nodes are in the cluster that went on, no other was founded meanwhile, and the tasks come to their
    /// ends with all that was committed.
    /// </summary>
    public async Task ShouldBeOneClusterAndHaveLostNothingAsync()
    {
        long healed = TimeProvider.System.GetTimestamp();
        foreach ((LocalNode node, ActorTrainerClient client) in _clients)
        {
            await _cluster.WaitAsync(
                $"node {node.Number} sees all nodes",
                async () => IsClusterOf(await client.GetClusterAsync(), null, _cluster.Nodes),
                Limit
            );
            long life = (await client.GetClusterAsync()).Self;
            (life == _lives[node]).ShouldBe(_winners.Contains(node), $"node {node.Number} is in life {life}\n{_cluster.Logs()}");
        }

        _log($"one cluster {TimeProvider.System.GetElapsedTime(healed).TotalSeconds:0.0} s after the network was healed");
        (await ReadAsync("epoch")).ShouldBe(_epoch, "nobody founded another cluster");
        foreach (ObservedTask task in _tasks)
        {
            await File.WriteAllTextAsync(EndOf(task.Name), "");
            await task.WaitForEndAsync(TaskStatus.Completed);
            await task.ShouldHaveLostNothingAsync();
            task.ShouldHaveTheResultsOfOneRun();
            task.Events.OfType<TaskRetryScheduled>().ShouldBeEmpty($"a cut is no failure of the task\n{task}");
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (ActorTrainerClient client in _clients.Values)
        {
            client.Dispose();
        }
    }

    /// <summary>
    /// Whether exactly these nodes are up and reachable in what a node sees, which is in the life that it was in if it is
    /// <paramref name="same"/>.
    /// </summary>
    private bool IsClusterOf(ClusterStatus seen, LocalNode? same, IReadOnlyList<LocalNode> nodes)
    {
        MemberView[] members = [.. seen.Members.Where(m => m.State is not (null or MemberState.Down or MemberState.Removed))];
        return members.All(m => m is { State: MemberState.Up, Reachable: true })
            && members.Select(m => m.Address).Order().SequenceEqual(nodes.Select(n => n.Address).Order())
            && (same is null || seen.Self == _lives[same]);
    }

    private string EndOf(string task) => Path.Combine(_cluster.Folder, $"{task}.end");

    private async Task<long> ReadAsync(string column)
    {
        await using SqliteConnection connection = new(
            $"Data Source={_cluster.JournalPath};Mode=ReadWrite;Pooling=False;Default Timeout=30"
        );
        await connection.OpenAsync();
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A column's name of this class.
        command.CommandText = $"SELECT {column} FROM actortrainer_cluster";
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
