using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Testing.Simulation;

/// <summary>
/// Workers of one simulated node: they start, train a step every <see cref="StepTime"/>, stage every so many steps, and end. Their
/// whole state is the number of steps done, so a checkpoint is a number too.
/// </summary>
internal sealed class SimulatedWorkers(SimulatedCluster cluster, Action<TaskInput> post)
{
    public static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(20);
    public const long TotalSteps = 1000;
    public const long StageEvery = 50;

    private readonly Dictionary<RunKey, Worker> _running = [];

    public IReadOnlyCollection<RunKey> Running => [.. _running.Keys.OrderBy(k => k.ToString(), StringComparer.Ordinal)];

    public void EndAll() => _running.Clear();

    public void Start(TaskEffect effect)
    {
        switch (effect)
        {
            case StartWorker start:
                Begin(start);
                break;
            case BeginTraining begin when _running.TryGetValue(begin.Run, out Worker? worker):
                worker.Step = begin.HasRestore ? worker.Restored : 0;
                worker.StepAtBegin = worker.Step;
                Later(StepTime, begin.Run, w => DoStep(begin.Run, w));
                break;
            case RestoreCheckpoint restore:
                Restore(restore);
                break;
            case RequestStaging request:
                Later(StepTime, request.Run, w => Stage(request.Run, w, request.Reason));
                break;
            case SaveCheckpoint save:
                Save(save);
                break;
            case StopWorker stop:
                Stop(stop);
                break;
            case ListStoreFiles list:
                Post(TimeSpan.FromMilliseconds(1), new StoreFilesListed(list.Task, list.Term, cluster.Store.Files(list.Task)));
                break;
            case UnlinkStoreFiles unlink:
                cluster.Store.Unlink(unlink.Task, unlink.Files);
                break;
        }
    }

    private readonly Dictionary<RunKey, long> _restored = [];

    private void Begin(StartWorker start)
    {
        Worker worker = new() { Task = start.Run.Task };
        _running[start.Run] = worker;
        Later(TimeSpan.FromMilliseconds(80), start.Run, _ =>
        {
            post(new WorkerStarted(start.Run, 1000 + start.Run.Run));
            post(new WorkerReady(start.Run));
        });
    }

    private void Restore(RestoreCheckpoint restore) => cluster.After(TimeSpan.FromMilliseconds(30), () =>
    {
        if (cluster.Store.Read(restore.Run.Task, restore.Checkpoint.Name) is long step)
        {
            _restored[restore.Run] = step;
            if (_running.TryGetValue(restore.Run, out Worker? worker))
            {
                worker.Restored = step;
            }

            post(new CheckpointRestored(restore.Run, restore.Checkpoint.Name));
        }
        else
        {
            post(new CheckpointUnreadable(restore.Run, restore.Checkpoint.Name, true, "missing"));
        }
    });

    private void DoStep(RunKey run, Worker worker)
    {
        if (worker.Stopping)
        {
            return;
        }

        worker.Step++;
        cluster.Observe(run, worker.Step);
        if (worker.Step % 5 == 0)
        {
            post(new WorkerProgressed(run, new TaskProgress(worker.Step, TotalSteps, 0, new Dictionary<string, double>())));
        }

        if (worker.Step >= TotalSteps)
        {
            Stage(run, worker, "final");
            post(new WorkerDone(run, new TaskProgress(worker.Step, TotalSteps, 0, new Dictionary<string, double>()), new Dictionary<string, string>()));
            Later(TimeSpan.FromMilliseconds(50), run, _ => Exit(run, 0));
            return;
        }

        if (worker.Step % StageEvery == 0)
        {
            Stage(run, worker, "interval");
        }

        Later(StepTime, run, w => DoStep(run, w));
    }

    private void Stage(RunKey run, Worker worker, string reason)
    {
        string id = $"s{++worker.Staged}";
        worker.States[id] = worker.Step;
        post(new WorkerStaged(run, new StagedState(id, worker.Step, 0, reason, new Dictionary<string, double>())));
    }

    private void Save(SaveCheckpoint save)
    {
        // The staged state stands on the node's disk: it outlives the worker, not the node.
        long step = save.State.Step;
        cluster.After(TimeSpan.FromMilliseconds(40), () => post(new CheckpointStored(
            save.Run, save.State.Id, cluster.Store.Write(save.Run.Task, save.Name, step, save.State.Reason))));
    }

    private void Stop(StopWorker stop)
    {
        if (!_running.TryGetValue(stop.Run, out Worker? worker))
        {
            Post(TimeSpan.FromMilliseconds(1), new WorkerExited(stop.Run, null, null, null, []));
            return;
        }

        worker.Stopping = true;
        Later(TimeSpan.FromMilliseconds(30), stop.Run, _ => Exit(stop.Run, 0));
    }

    private void Exit(RunKey run, int code)
    {
        if (_running.Remove(run))
        {
            post(new WorkerExited(run, code, null, null, []));
        }
    }

    private void Post(TimeSpan delay, TaskInput input) => cluster.After(delay, () => post(input));

    private void Later(TimeSpan delay, RunKey run, Action<Worker> act) => cluster.After(delay, () =>
    {
        if (_running.TryGetValue(run, out Worker? worker))
        {
            if (_restored.TryGetValue(run, out long step))
            {
                worker.Restored = step;
            }

            act(worker);
        }
    });

    private sealed class Worker
    {
        public TaskId Task { get; init; }

        public long Step { get; set; }

        public long StepAtBegin { get; set; }

        public long Restored { get; set; }

        public int Staged { get; set; }

        public bool Stopping { get; set; }

        public Dictionary<string, long> States { get; } = [];
    }
}
