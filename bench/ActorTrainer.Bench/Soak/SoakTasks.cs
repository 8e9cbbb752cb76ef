using System.Globalization;
using System.Text.Json;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Bench.Soak;

/// <summary>Keeps a number of tasks unfinished, writes down every event that the API shows of them, and judges them at the end.</summary>
internal sealed class SoakTasks(LocalCluster cluster, string register, Action<string> say)
{
    /// <summary>Tasks that are unfinished at any time.</summary>
    public const int AtOnce = 6;

    // Nine thousand steps of a little more than 5 ms: about a minute when nothing happens, long enough to be hit several times.
    private const int Epochs = 200;
    private const int Seeds = 2;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ShownLimit = TimeSpan.FromMinutes(1);

    private readonly List<ObservedTask> _all = [];
    private readonly List<ObservedTask> _open = [];
    private readonly List<string> _unexpected = [];
    private string[] _references = [];

    /// <summary>What became of tasks that no fault explains, one sentence each.</summary>
    public IReadOnlyList<string> Unexpected => _unexpected;

    /// <summary>Trains every seed once without interruption.</summary>
    public async Task TrainReferencesAsync() =>
        _references = await Task.WhenAll(Enumerable.Range(1, Seeds).Select(seed => Specs.DigitsWeightsAsync(seed, Epochs)));

    /// <summary>Submits and observes until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (_open.Count < AtOnce)
            {
                await TrySubmitAsync();
            }

            await LookAsync();
            await Task.Delay(LookEvery, TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Waits until every task has ended, or for so long.</summary>
    public async Task WaitForEndAsync(TimeSpan limit)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (_open.Count > 0 && TimeProvider.System.GetElapsedTime(started) < limit)
        {
            await LookAsync();
            await Task.Delay(LookEvery, TimeProvider.System);
        }
    }

    /// <summary>
    /// Reads every task again and judges it by its events; what the API shows of a task that has ended has to say so too, in a minute.
    /// </summary>
    public async Task<IReadOnlyList<SoakedTask>> JudgeAsync()
    {
        long started = TimeProvider.System.GetTimestamp();
        List<SoakedTask> judged = [];
        for (int i = 0; i < _all.Count; i++)
        {
            ObservedTask task = _all[i];
            CommittedHistory? verdict = null;
            TaskCompleted? completed = task.Events.OfType<TaskCompleted>().LastOrDefault();
            string status = "";
            bool shown = false;
            do
            {
                try
                {
                    verdict ??= await task.JudgeAsync();
                    TaskView view = (await cluster.Client.GetTaskAsync(task.Name)).Task;
                    status = $"{view.Status} {view.Detail}".TrimEnd();
                    shown = completed is null || view.Status == TaskStatus.Completed;
                }
                catch (Exception e) when (IsOfAFault(e))
                {
                    status = $"nothing answers for it: {e.Message}";
                }

                await Task.Delay(shown ? TimeSpan.Zero : LookEvery, TimeProvider.System);
            } while (!shown && TimeProvider.System.GetElapsedTime(started) < ShownLimit);

            if (completed is not null && !shown)
            {
                _unexpected.Add($"{task.Name} has completed, and is shown otherwise long after that: {status}");
            }

            // What cannot be read again is judged by what was seen.
            verdict ??= CommittedHistory.Judge(task.Rows, task.Rows);
            judged.Add(
                new SoakedTask(
                    task.Name,
                    status,
                    completed is not null,
                    completed?.Results.GetValueOrDefault("weights-sha256"),
                    _references[SeedOf(i) - 1],
                    verdict.LostSteps,
                    verdict.Faults
                )
            );
        }

        return judged;
    }

    /// <summary>The histories of tasks, for a person who looks for what went wrong.</summary>
    public string Histories() => string.Join("\n\n", _all.Select(task => $"--- {task.Name}\n{task}"));

    private static int SeedOf(int place) => (place % Seeds) + 1;

    private async Task TrySubmitAsync()
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"soak-{_all.Count + 1}");
        TaskSpec spec = new()
        {
            Name = name,
            Trainer = new TrainerSpec(
                typeof(SoakTrainer).FullName!,
                typeof(SoakTrainer).Assembly.Location,
                JsonSerializer.SerializeToElement(new SoakSettings(register, SeedOf(_all.Count), Epochs), SoakJson.Default.SoakSettings)
            ),
            Checkpoint = new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromMilliseconds(500) },

            // Killed workers are failures of the task's own.
            Retry = new RetrySpec
            {
                MaxAttempts = 1000,
                Backoff = TimeSpan.FromSeconds(0.2),
                MaxBackoff = TimeSpan.FromSeconds(1),
            },
        };
        try
        {
            // The same name and specification are the same task: after an answer that was lost it is submitted again.
            ObservedTask task = await ObservedTask.SubmitAsync(cluster, spec);
            _all.Add(task);
            _open.Add(task);
        }
        catch (Exception e) when (IsOfAFault(e))
        {
            // Once the nodes answer again.
        }
    }

    private async Task LookAsync()
    {
        foreach (ObservedTask task in _open.ToArray())
        {
            try
            {
                await task.LookAsync();
                if (task.Events.LastOrDefault(e => e is TaskHeld or TaskResumed) is TaskHeld held)
                {
                    _unexpected.Add($"{task.Name} was held: {held.Reason}");
                    say(_unexpected[^1]);
                    await cluster.Client.ResumeAsync(task.Name);
                    await task.LookAsync();
                }

                if (task.Events.Any(e => e is TaskCompleted or TaskFailed or TaskCancelled))
                {
                    _open.Remove(task);
                    say($"{task.Name} ended after {task.Starts.Count} runs");
                }
            }
            catch (Exception e) when (IsOfAFault(e))
            {
                // What happened meanwhile is read with the next look.
            }
        }
    }

    private static bool IsOfAFault(Exception e) =>
        ActorTrainerClient.IsTransient(e) || e is ActorTrainerApiException or UnknownOutcomeException;
}
