using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Trainers;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Processes;

/// <summary>A task as an observer outside the cluster sees it: he writes down every event that he was shown.</summary>
public sealed class ObservedTask(LocalCluster cluster, string name)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(100);

    private readonly List<EventRow> _rows = [];

    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>All that was shown, with sequence, term and time.</summary>
    public IReadOnlyList<EventRow> Rows => _rows;

    /// <summary>All that was shown.</summary>
    public IEnumerable<TaskEvent> Events => _rows.Select(r => r.Event);

    /// <summary>Its runs.</summary>
    public IReadOnlyList<TaskStarted> Starts => [.. Events.OfType<TaskStarted>()];

    /// <summary>Its checkpoints, those included that were removed since.</summary>
    public IReadOnlyList<CheckpointRef> Checkpoints => [.. Events.OfType<TaskCheckpointed>().Select(e => e.Checkpoint)];

    /// <summary>The step of the newest checkpoint seen; 0: none.</summary>
    public long CommittedStep => Checkpoints.Select(c => c.Step).DefaultIfEmpty(0).Max();

    /// <summary>Whether it does not go on by itself.</summary>
    public bool IsEnded =>
        Events.LastOrDefault(e => e is TaskCompleted or TaskFailed or TaskCancelled or TaskHeld or TaskResumed)
            is TaskCompleted
                or TaskFailed
                or TaskCancelled
                or TaskHeld;

    /// <summary>How many of its runs up to now ended, or go on, without a checkpoint, counted back from the newest.</summary>
    public int RunsWithoutCheckpoint
    {
        get
        {
            int runs = 0;
            foreach (TaskEvent e in Events.Reverse().TakeWhile(e => e is not TaskCheckpointed))
            {
                runs += e is TaskStarted ? 1 : 0;
            }

            return runs;
        }
    }

    /// <summary>Submits a task and observes it.</summary>
    public static async Task<ObservedTask> SubmitAsync(LocalCluster cluster, TaskSpec spec)
    {
        await cluster.Client.SubmitAsync(spec);
        return new ObservedTask(cluster, spec.Name);
    }

    /// <summary>Writes down what happened since the last look.</summary>
    public async Task LookAsync(ActorTrainerClient? client = null)
    {
        while (
            (await (client ?? cluster.Client).ListEventsAsync(Name, _rows.Count == 0 ? 0 : _rows[^1].Sequence)).Events
                is { Count: > 0 } news
        )
        {
            _rows.AddRange(news);
        }
    }

    /// <summary>Looks until what was written down satisfies a condition.</summary>
    public async Task WaitAsync(string what, Func<ObservedTask, bool> condition, ActorTrainerClient? client = null)
    {
        try
        {
            await cluster.WaitAsync(
                $"{Name}: {what}",
                async () =>
                {
                    await LookAsync(client);
                    return condition(this)
                        || (IsEnded ? throw new InvalidOperationException($"{Name} ended before this was so: {what}\n{this}") : false);
                },
                Limit
            );
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n--- {Name}\n{this}", e);
        }
    }

    /// <summary>Waits until the run that is the newest now has committed a checkpoint.</summary>
    public Task WaitForCheckpointAsync() =>
        WaitAsync("a checkpoint of its present run", t => t.Starts.Count > 0 && t.RunsWithoutCheckpoint == 0);

    /// <summary>Waits for its next run after so many, and gives it.</summary>
    public async Task<TaskStarted> WaitForStartAsync(int after, ActorTrainerClient? client = null)
    {
        await WaitAsync($"start number {after + 1}", t => t.Starts.Count > after, client);
        return Starts[after];
    }

    /// <summary>Waits until it has ended, is finished on record too, and gives its view.</summary>
    public async Task<TaskView> WaitForEndAsync(TaskStatus status)
    {
        TaskView? view = null;
        await cluster.WaitAsync(
            $"{Name} is {status}",
            async () =>
            {
                view = (await cluster.Client.GetTaskAsync(Name)).Task;
                return view.Finished || view.Status == TaskStatus.Held;
            },
            Limit * 4
        );
        await LookAsync();
        view!.Status.ShouldBe(status, ToString());
        return view;
    }

    /// <summary>
    /// Reads the whole history again: what was seen is in it unchanged, every run began at or after the last checkpoint before it, and no
    /// owner wrote after a newer one.
    /// </summary>
    public async Task ShouldHaveLostNothingAsync()
    {
        CommittedHistory verdict = await JudgeAsync();
        string found = $"{string.Join('\n', verdict.Faults)}\n{this}";
        verdict.LostSteps.ShouldBe(0, found);
        verdict.DoubleWrites.ShouldBe(0, found);
    }

    /// <summary>A scripted task has completed, and its results are those of an uninterrupted run of as many steps.</summary>
    public void ShouldHaveTheResultsOfOneRun()
    {
        IReadOnlyDictionary<string, string> results = Events.OfType<TaskCompleted>().Single().Results;
        results["sum"].ShouldBe(ScriptedTrainer.SumOf(long.Parse(results["steps"], CultureInfo.InvariantCulture)), ToString());
    }

    /// <summary>Reads the whole history again and judges it by what was seen.</summary>
    public async Task<CommittedHistory> JudgeAsync()
    {
        ObservedTask again = new(cluster, Name);
        await again.LookAsync();
        return CommittedHistory.Judge(_rows, again._rows);
    }

    /// <summary>Its history in short, for messages of tests: the last forty events that decide something.</summary>
    public override string ToString() =>
        string.Join(
            '\n',
            _rows
                .Where(r => r.Event is not (TaskProgressed or TaskCheckpointRemoved or TaskPacksCondemned or TaskSubmitted))
                .TakeLast(40)
                .Select(r => $"{r.Sequence} term {r.Term} {Short(r.Event)}")
        );

    private static string Short(TaskEvent e) =>
        e switch
        {
            TaskCheckpointed c => $"checkpointed {c.Checkpoint.Name} ({c.Checkpoint.Reason})",
            TaskRetryScheduled r => $"retry {r.Failures}: {r.Failure} {string.Join(" | ", r.Failure.LastLines)}",
            TaskFailed f => $"failed: {f.Failure} {string.Join(" | ", f.Failure.LastLines)}",
            _ => e.ToString(),
        };
}
