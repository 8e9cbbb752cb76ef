namespace ActorTrainer.Checkpoints;

/// <summary>
/// A thread of its own for every piece of work. Saves and restores wait for the network, and would keep the thread pool's few threads
/// from those who answer heartbeats with them.
/// </summary>
internal sealed class OwnThreads : TaskScheduler
{
    public static OwnThreads Instance { get; } = new();

    /// <summary>Runs a call to its end, on the calling thread, which is one of these.</summary>
    public static T Wait<T>(Func<Task<T>> call) => Task.Run(call).GetAwaiter().GetResult();

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    protected override void QueueTask(Task task) =>
        new Thread(() => TryExecuteTask(task)) { IsBackground = true, Name = "actortrainer-store" }.Start();

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && TryExecuteTask(task);
}
