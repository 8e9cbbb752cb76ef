using System.Collections.Concurrent;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Nodes;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Engines;

/// <summary>
/// Drives one <see cref="NodeLoop"/> on a thread of its own with a bounded queue, so that neither a busy thread pool nor a flood of
/// worker output delays it. Effects are started in order on the same thread; each is short and posts its input back when it ends.
/// </summary>
internal sealed partial class LoopThread
{
    private const int QueueLength = 16_384;
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(50);

    private readonly NodeLoop _loop;
    private readonly Action<NodeEffect> _start;
    private readonly DeterministicRandom _random;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockingCollection<NodeInput> _queue = new(QueueLength);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _startedAt;
    private volatile bool _stop;

    public LoopThread(NodeLoop loop, Action<NodeEffect> start, ulong seed, TimeProvider time, ILogger logger)
    {
        _loop = loop;
        _start = start;
        _random = new DeterministicRandom(seed);
        _time = time;
        _logger = logger;
        _startedAt = time.GetTimestamp();
    }

    public void Start() =>
        new Thread(Run) { IsBackground = true, Name = "actortrainer-loop", Priority = ThreadPriority.AboveNormal }.Start();

    /// <summary>Queues an input; waits while the queue is full. After the end inputs are dropped.</summary>
    public void Post(NodeInput input)
    {
        if (_stop)
        {
            return;
        }

        try
        {
            _queue.Add(input);
        }
        catch (InvalidOperationException)
        {
            // The loop ended meanwhile: nobody is there to take it.
        }
    }

    public Task StopAsync()
    {
        _stop = true;
        _queue.CompleteAdding();
        return _stopped.Task;
    }

    private void Run()
    {
        try
        {
            TimeSpan nextTick = TimeSpan.Zero;
            while (!_stop)
            {
                TimeSpan wait = nextTick - Now();
                if (wait > TimeSpan.Zero && _queue.TryTake(out NodeInput? input, wait))
                {
                    Step(input);
                }
                else if (Now() >= nextTick)
                {
                    nextTick = Now() + TickEvery;
                    Step(new NodeTick());
                }
            }

            _stopped.TrySetResult();
        }
        catch (InvalidOperationException) when (_stop)
        {
            _stopped.TrySetResult();
        }
    }

    private void Step(NodeInput input)
    {
        try
        {
            foreach (NodeEffect effect in _loop.Step(input, Now(), _random))
            {
                _start(effect);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A defect: this life cannot be trusted any more, another one starts from the journal.
            LogStepFailed(_logger, input.GetType().Name, e);
            _stop = true;
            _start(new EndLife(LifeEnd.Rejoin, $"its loop failed on {input.GetType().Name}: {e.Message}"));
        }
    }

    private TimeSpan Now() => _time.GetElapsedTime(_startedAt);
}
