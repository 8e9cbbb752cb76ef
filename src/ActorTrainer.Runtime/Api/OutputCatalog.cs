using System.Net.Http.Json;
using System.Text.Json;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Api;

/// <summary>Lists a task's runs with what is kept of their output: on the nodes that had them, and in the store.</summary>
internal sealed class OutputCatalog(ITaskClient client, INodeFiles files, ApiOptions options, HttpClient peers)
{
    private const int EventsAtOnce = 1000;

    /// <summary>What this node keeps.</summary>
    public IReadOnlyList<RunOutput> Local(TaskId task, NodeAddress self) => LocalRunReader.List(files, task, self);

    /// <summary>What all nodes and the store keep.</summary>
    /// <param name="task">The task.</param>
    /// <param name="self">This node.</param>
    /// <param name="all">Also runs of which nothing is kept, as far as the journal has their start.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task<RunOutputList> CollectAsync(TaskSummary task, NodeAddress self, bool all, CancellationToken cancellationToken)
    {
        NodeAddress[] others =
        [
            .. client
                .View.Members.Where(member => member.IsSeen)
                .Select(member => member.Address)
                .Where(address => address != self)
                .Distinct()
                .Order(),
        ];
        Task<(IReadOnlyList<StoredRun> Runs, string? Problem)> storing = ReadStoreAsync(task.Task, cancellationToken);
        RunOutputList?[] parts = await Task.WhenAll(others.Select(other => AskAsync(other, task.Task, cancellationToken)));
        (IReadOnlyList<StoredRun> stored, string? problem) = await storing;
        NodeAddress[] silent = [.. others.Where((_, index) => parts[index] is null)];
        List<RunOutput> runs = Join(
            [.. Local(task.Task, self), .. parts.SelectMany(part => part?.Runs ?? [])],
            stored,
            [self, .. others],
            silent
        );
        if (all)
        {
            runs.AddRange(await ReadUnkeptAsync(task, runs, [self, .. others], silent, cancellationToken));
        }

        return new RunOutputList(task.Task, task.IsFinished, [.. runs.OrderBy(run => (run.Term, run.Run)).ThenBy(run => run.Node)], silent)
        {
            StoreProblem = problem,
        };
    }

    /// <summary>What the store has of a run; null: nothing, or it cannot be read now.</summary>
    public async Task<StoredRun?> FindStoredAsync(OutputKey key, CancellationToken cancellationToken)
    {
        try
        {
            return options.Outputs is { } outputs ? await BoundAsync(() => outputs.Find(key), cancellationToken) : null;
        }
        catch (Exception e) when (e is CheckpointStoreException or TimeoutException)
        {
            return null;
        }
    }

    private static List<RunOutput> Join(
        IReadOnlyList<RunOutput> live,
        IReadOnlyList<StoredRun> stored,
        NodeAddress[] members,
        NodeAddress[] silent
    )
    {
        Dictionary<(long Term, int Run, NodeAddress Node), StoredRun> left = stored.ToDictionary(run =>
            (run.Key.Term, run.Key.Run, run.Key.Node)
        );
        List<RunOutput> runs = [];
        foreach (RunOutput run in live)
        {
            if (!left.Remove((run.Term, run.Run, run.Node), out StoredRun? more))
            {
                runs.Add(run);
            }
            else
            {
                // What comes before the first byte that the node has.
                long start = run.Start ?? 0;
                long before = more
                    .Segments.Where(segment => segment.Start < start)
                    .Sum(segment => Math.Min(segment.End, start) - segment.Start);
                runs.Add(run with { Bytes = run.Bytes + before });
            }
        }

        foreach (StoredRun run in left.Values)
        {
            string where =
                silent.Contains(run.Key.Node) ? OutputWords.Silent
                : members.Contains(run.Key.Node) ? OutputWords.Emptied
                : OutputWords.Gone;
            runs.Add(FromStore(run, where));
        }

        return runs;
    }

    private static RunOutput FromStore(StoredRun run, string where) =>
        new(run.Key.Term, run.Key.Run, run.Key.Node, run.Bytes)
        {
            Stored = true,
            End = run.End == run.Bytes ? null : run.End,
            Missing = run.Total is null ? OutputWords.Lost(run.Key.Run, run.Key.Node, run.At, where) : null,
        };

    /// <summary>Runs that were started, and of which neither a node nor the store has anything.</summary>
    private async Task<IReadOnlyList<RunOutput>> ReadUnkeptAsync(
        TaskSummary task,
        List<RunOutput> kept,
        NodeAddress[] members,
        NodeAddress[] silent,
        CancellationToken cancellationToken
    )
    {
        HashSet<int> numbers = [.. kept.Select(run => run.Run)];
        if (Enumerable.Range(1, task.Runs).All(numbers.Contains))
        {
            return [];
        }

        List<RunOutput> unkept = [];
        long after = 0;
        IReadOnlyList<EventRow> events;
        do
        {
            events = await client.ReadEventsAsync(task.Task, after, EventsAtOnce, cancellationToken);
            foreach (EventRow row in events)
            {
                after = row.Sequence;
                if (row.Event is TaskStarted started && !kept.Any(run => run.Run == started.Run && run.Term == row.Term))
                {
                    string where =
                        silent.Contains(started.Node) ? OutputWords.Silent
                        : members.Contains(started.Node) ? OutputWords.Emptied
                        : OutputWords.Gone;
                    unkept.Add(
                        new RunOutput(row.Term, started.Run, started.Node, 0)
                        {
                            Missing = OutputWords.Lost(started.Run, started.Node, at: null, where),
                        }
                    );
                }
            }
        } while (events.Count == EventsAtOnce);

        return unkept;
    }

    private async Task<(IReadOnlyList<StoredRun> Runs, string? Problem)> ReadStoreAsync(TaskId task, CancellationToken cancellationToken)
    {
        try
        {
            return (options.Outputs is { } outputs ? await BoundAsync(() => outputs.List(task), cancellationToken) : [], null);
        }
        catch (CheckpointStoreException e)
        {
            return ([], $"output in the checkpoint store is not shown: {e.Message}");
        }
        catch (TimeoutException)
        {
            return (
                [],
                FormattableString.Invariant(
                    $"output in the checkpoint store is not shown: the store did not answer within {options.PeerTimeout.TotalSeconds:0.#} s"
                )
            );
        }
    }

    /// <summary>A disk that hangs holds nobody up who asks for what nodes have.</summary>
    private Task<T> BoundAsync<T>(Func<T> read, CancellationToken cancellationToken) =>
        Task.Run(read, cancellationToken).WaitAsync(options.PeerTimeout, options.Time, cancellationToken);

    private async Task<RunOutputList?> AskAsync(NodeAddress other, TaskId task, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.PeerTimeout);
        try
        {
            return await peers.GetFromJsonAsync(
                $"http://{other}/v1/tasks/{task}/runs?local=true",
                ApiJson.Default.RunOutputList,
                limit.Token
            );
        }
        catch (Exception e)
            when (e is HttpRequestException or JsonException or IOException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return null;
        }
    }
}
