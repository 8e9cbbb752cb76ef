using System.Collections.Concurrent;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A few threads for many short pieces of work. <see cref="OwnThreads"/> makes one for each: who starts a thread waits until that one has
/// got a processor, which in low priority takes as long as a piece.
/// </summary>
internal sealed class StandingThreads : IDisposable
{
    private readonly BlockingCollection<Task> _work = [];
    private readonly Task[] _threads;

    /// <summary>Starts them, in the priority of the work that calls.</summary>
    public StandingThreads(int count) => _threads = [.. Enumerable.Range(0, count).Select(_ => Start(Run))];

    /// <summary>Has a piece of work done by the first of them that is free.</summary>
    public Task Begin(Action work)
    {
        Task task = new(work);
        _work.Add(task);
        return task;
    }

    /// <summary>Waits until all is done that was begun.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        Task.WaitAll(_threads);
        _work.Dispose();
    }

    private static Task Start(Action run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.DenyChildAttach, OwnThreads.OfThisWork);

    private void Run()
    {
        foreach (Task task in _work.GetConsumingEnumerable())
        {
            // On this thread; the scheduler of this thread itself would start another one.
            task.RunSynchronously(TaskScheduler.Default);
        }
    }
}
