using ActorTrainer.Bench.Common;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Soak;

/// <summary>A process that trains a task.</summary>
internal sealed record LiveWorker(int Pid, string Task);

/// <summary>
/// Looks for the workers of a cluster among the machine's processes: those whose environment names a task and a folder of a node of it, and
/// those in the register. One that is stopped does nothing, and is not counted; neither is one that has ended.
/// </summary>
internal sealed class WorkerWatch(LocalCluster cluster, string register)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private IReadOnlyList<LiveWorker> _workers = [];

    public OverlapLog Overlaps { get; } = new();

    /// <summary>The workers of the newest look.</summary>
    public IReadOnlyList<LiveWorker> Workers => _workers;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(LookEvery, TimeProvider.System);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            LiveWorker[] found = [.. Find()];
            _workers = found;
            Overlaps.Look(BenchClock.Now, found.Select(worker => worker.Task));
        }
    }

    /// <summary>Its workers now.</summary>
    public IEnumerable<LiveWorker> Find()
    {
        foreach (ProcessInfo process in ProcessInfo.All().Where(process => !process.IsStopped))
        {
            if (WorkerRegister.TaskOf(register, process) is { } registered)
            {
                yield return new LiveWorker(process.Pid, registered);
            }
            else if (process.Variable("ACTORTRAINER_NODE_DIR")?.StartsWith(cluster.Folder, StringComparison.Ordinal) == true &&
                process.Variable("ACTORTRAINER_TASK") is { } task)
            {
                yield return new LiveWorker(process.Pid, task);
            }
        }
    }
}
