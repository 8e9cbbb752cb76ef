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
    private volatile IReadOnlyList<LiveWorker> _workers = [];

    public OverlapLog Overlaps { get; } = new();

    /// <summary>The most workers that a look has found. None at all: it does not see them.</summary>
    public int Most { get; private set; }

    /// <summary>The longest time between two looks, in milliseconds: a shorter overlap may have been missed.</summary>
    public long LongestGap { get; private set; }

    /// <summary>The workers of the newest look.</summary>
    public IReadOnlyList<LiveWorker> Workers => _workers;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(LookEvery, TimeProvider.System);
        long last = BenchClock.Now;
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            LiveWorker[] found = [.. Find()];
            _workers = found;
            Most = Math.Max(Most, found.Length);
            LongestGap = Math.Max(LongestGap, BenchClock.Now - last);
            last = BenchClock.Now;
            Overlaps.Look(last, found.Select(worker => worker.Task));
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
            else if (
                process.Variable("ACTORTRAINER_NODE_DIR")?.StartsWith(cluster.Folder, StringComparison.Ordinal) == true
                && process.Variable("ACTORTRAINER_TASK") is { } task
            )
            {
                yield return new LiveWorker(process.Pid, task);
            }
        }
    }
}
