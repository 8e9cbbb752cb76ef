using Akka.Configuration;
using Akka.Dispatch;

namespace ActorTrainer.Cluster.Systems;

/// <summary>
/// Threads of a dispatcher's own, <c>thread-count</c> of them, that sleep as soon as there is nothing to do. Those of Akka's dedicated
/// thread pool look for work for a while first, which costs an idle node more than its heartbeats themselves.
/// </summary>
/// <remarks>Made by Akka from a dispatcher's <c>executor</c>, by reflection.</remarks>
internal sealed class ThreadExecutorConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    : ExecutorServiceConfigurator(config, prerequisites)
{
    public override ExecutorService Produce(string id) => new ThreadExecutor(id, Config.GetInt("thread-count"));
}

/// <summary>See <see cref="ThreadExecutorConfigurator"/>. What is executed does not throw: it is an actor's mailbox.</summary>
internal sealed class ThreadExecutor : ExecutorService
{
    private readonly object _gate = new();
    private readonly Queue<IRunnable> _waiting = new();
    private bool _ended;

    /// <param name="id">Of the dispatcher; the threads are called by it.</param>
    /// <param name="threads">How many.</param>
    public ThreadExecutor(string id, int threads)
        : base(id)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        for (int i = 0; i < threads; i++)
        {
            new Thread(Run) { IsBackground = true, Name = id }.Start();
        }
    }

    /// <inheritdoc />
    /// <exception cref="RejectedExecutionException">It has been shut down; Akka then asks the dispatcher's next one.</exception>
    public override void Execute(IRunnable run)
    {
        lock (_gate)
        {
            if (_ended)
            {
                throw new RejectedExecutionException("the dispatcher has been shut down");
            }

            _waiting.Enqueue(run);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>The threads end once nothing waits any more.</summary>
    public override void Shutdown()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Run()
    {
        while (Take() is { } run)
        {
            run.Run();
        }
    }

    private IRunnable? Take()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_ended)
            {
                Monitor.Wait(_gate);
            }

            return _waiting.TryDequeue(out IRunnable? run) ? run : null;
        }
    }
}
