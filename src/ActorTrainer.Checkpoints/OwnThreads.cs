using System.Runtime.InteropServices;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A thread of its own for every piece of work. Saves and restores wait for disk or network, and would keep the thread pool's few threads
/// from those who answer heartbeats with them.
/// </summary>
internal sealed partial class OwnThreads : TaskScheduler
{
    private const int OfThisThread = 0;
    private const int Lowest = 19;
    private readonly int _nice;

    private OwnThreads(int nice) => _nice = nice;

    public static OwnThreads Instance { get; } = new(nice: 0);

    /// <summary>
    /// For what nobody waits for: they run when training leaves a processor, and take little of it otherwise (Linux). A thread that one of
    /// them starts has their priority for good, and the thread pool's are started by who queues to it: so nothing that runs here may.
    /// </summary>
    public static OwnThreads Background { get; } = new(Lowest);

    /// <summary>Those that this piece of work runs on; <see cref="Instance"/> when it runs on others.</summary>
    public static TaskScheduler OfThisWork => Current as OwnThreads ?? Instance;

    /// <summary>Runs a call to its end, on the calling thread, which is one of these.</summary>
    public static T Wait<T>(Func<Task<T>> call) => Task.Run(call).GetAwaiter().GetResult();

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    protected override void QueueTask(Task task) =>
        new Thread(() => Run(task)) { IsBackground = true, Name = "actortrainer-store" }.Start();

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        _nice == 0 && !taskWasPreviouslyQueued && TryExecuteTask(task);

    private void Run(Task task)
    {
        if (_nice > 0 && OperatingSystem.IsLinux())
        {
            // A process there is a thread here: the others of this process keep their priority.
            _ = SetPriority(0, OfThisThread, _nice);
        }

        _ = TryExecuteTask(task);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);
}
