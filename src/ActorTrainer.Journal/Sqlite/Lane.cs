using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Tables;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>
/// A queue and the one thread that works it off, so that neither a slow disk nor a lock ever blocks a pool thread. A request that
/// waits for longer than the limit is answered with a failure by a timer; if it has not begun it is never carried out.
/// </summary>
internal abstract class Lane : IAsyncDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(50);

    private readonly Lock _watchGate = new();
    private readonly object _gate = new();
    private readonly Queue<WorkItem> _queue = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly ITimer _watch;
    private readonly TimeSpan _limit;
    private List<WorkItem> _batch = [];
    private bool _watching;
    private bool _closing;

    protected Lane(string name, TimeProvider time, TimeSpan limit)
    {
        Time = time;
        _limit = limit;
        _watch = time.CreateTimer(static lane => ((Lane)lane!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    protected TimeProvider Time { get; }

    /// <summary>Whether the lane is being closed; the thread should not begin to wait for anything.</summary>
    protected bool IsClosing
    {
        get
        {
            lock (_gate)
            {
                return _closing;
            }
        }
    }

    public void Start() => _thread.Start();

    public Task<JournalReply> SendAsync(PreparedRequest request, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<JournalReply>(cancellationToken);
        }

        var item = new WorkItem(request, Time.GetTimestamp());
        bool arm;
        lock (_gate)
        {
            if (_closing)
            {
                return Task.FromResult<JournalReply>(new JournalFailed("the journal is closed"));
            }

            _queue.Enqueue(item);
            arm = !_watching;
            _watching = true;
            Monitor.Pulse(_gate);
        }

        if (arm)
        {
            _watch.Change(WatchInterval, Timeout.InfiniteTimeSpan);
        }

        return cancellationToken.CanBeCanceled ? WithCancellationAsync(item, cancellationToken) : item.Reply;
    }

    /// <summary>Lets the thread finish what waits, for as long as a request may wait; the rest is answered as not done.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        try
        {
            await _ended.Task.WaitAsync(_limit, Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The thread is stuck in the disk or the lock. It closes what it has open when it gets free; the process may end before.
            foreach (WorkItem item in Pending())
            {
                item.GiveUp(new JournalFailed("the journal was closed before it answered"));
            }
        }

        await _watch.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Called before a batch is taken from the queue: what waits meanwhile joins the batch.</summary>
    protected virtual void Prepare()
    {
    }

    /// <summary>Carries out a batch and answers each item. Nothing it throws is expected; it fails the batch.</summary>
    protected abstract void Execute(IReadOnlyList<WorkItem> batch);

    /// <summary>Called after each batch, also an empty or failed one.</summary>
    protected virtual void Finish()
    {
    }

    /// <summary>Called at the end, on the lane's thread.</summary>
    protected abstract void Close();

    /// <summary>Called every 50 ms while anything waits, on a pool thread, never twice at a time.</summary>
    protected virtual void OnWatch()
    {
    }

    /// <summary>Why a request that has not begun was not done.</summary>
    protected abstract string ExplainWaiting(TimeSpan limit);

    private static async Task<JournalReply> WithCancellationAsync(WorkItem item, CancellationToken cancellationToken)
    {
        await using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((WorkItem)state!).Cancel(token), item);
        return await item.Reply.ConfigureAwait(false);
    }

    private void Run()
    {
        while (WaitForWork())
        {
            try
            {
                Prepare();
                List<WorkItem> batch = Take();
                if (batch.Count > 0)
                {
                    Execute(batch);
                }
            }
            catch (Exception e)
            {
                // The thread must outlive whatever one batch runs into.
                foreach (WorkItem item in TakeAll())
                {
                    item.GiveUp(new JournalFailed($"the journal failed: {e.Message}"));
                }
            }
            finally
            {
                Finish();
                lock (_gate)
                {
                    _batch = [];
                }
            }
        }

        Close();
        _ended.TrySetResult();
    }

    private bool WaitForWork()
    {
        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                if (_closing)
                {
                    return false;
                }

                Monitor.Wait(_gate);
            }

            return true;
        }
    }

    private List<WorkItem> Take()
    {
        lock (_gate)
        {
            var batch = new List<WorkItem>(_queue.Count);
            while (_queue.TryDequeue(out WorkItem? item))
            {
                if (item.TryBegin())
                {
                    batch.Add(item);
                }
            }

            return _batch = batch;
        }
    }

    private List<WorkItem> TakeAll()
    {
        lock (_gate)
        {
            List<WorkItem> all = [.. _batch, .. _queue];
            _queue.Clear();
            return all;
        }
    }

    private List<WorkItem> Pending()
    {
        lock (_gate)
        {
            return [.. _batch.Concat(_queue).Where(item => !item.IsAnswered)];
        }
    }

    private void Watch()
    {
        List<WorkItem> pending;
        lock (_watchGate)
        {
            pending = Pending();
            foreach (WorkItem item in pending)
            {
                if (Time.GetElapsedTime(item.EnqueuedAt) >= _limit)
                {
                    item.GiveUp(new JournalFailed(Explain(item)));
                }
            }

            if (pending.Count > 0)
            {
                OnWatch();
            }
        }

        bool again;
        lock (_gate)
        {
            while (_queue.TryPeek(out WorkItem? first) && first.IsAnswered)
            {
                _queue.Dequeue();
            }

            again = _watching = _queue.Count > 0 || _batch.Exists(item => !item.IsAnswered);
        }

        if (again)
        {
            _watch.Change(WatchInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private string Explain(WorkItem item) => item.HasBegun
        ? $"the journal did not answer within {_limit.TotalSeconds:0.#} s (is the disk slow or stuck?); whether it was done is not known"
        : ExplainWaiting(_limit);
}
