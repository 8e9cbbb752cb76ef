using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace ActorTrainer.Cluster.Systems;

/// <summary>
/// Akka's timers on a thread of their own that sleeps until the next one is due. Akka's own scheduler wakes a hundred times a second
/// whether or not anything is due, which is most of what an idle node uses, and does so on the thread pool, where checkpoints being packed
/// would delay heartbeats.
/// </summary>
/// <remarks>
/// As with Akka's scheduler nothing is made up for after the process was stopped, and what is still waiting at the end runs then. What
/// repeats is due at multiples of its period, of 500 ms at most, so that all that repeats shares its wake-ups; so it may be late by that
/// much once, at first, and after it was missed. What repeats more often than five times a second does so for a moment only,
/// while something changes: it begins at once, within 10 ms, Akka's tick.
/// </remarks>
internal sealed class DeadlineScheduler : SchedulerBase, IDateTimeOffsetNowTimeProvider, IDisposable
{
    private static readonly TimeSpan FinestGrid = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan CoarsestGrid = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan ShortestShared = TimeSpan.FromMilliseconds(200);

    /// <summary>For periods above the coarsest grid that are no multiple of it.</summary>
    private static readonly TimeSpan OtherGrid = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    private readonly long _started = TimeProvider.System.GetTimestamp();
    private readonly object _gate = new();
    private readonly PriorityQueue<Entry, (TimeSpan Due, long Number)> _entries = new();
    private readonly Thread _thread;
    private readonly TimeSpan _shutdownTimeout;
    private long _number;
    private bool _ended;

    /// <summary>Called by Akka for <c>akka.scheduler.implementation</c>.</summary>
    public DeadlineScheduler(Config config, ILoggingAdapter log)
        : base(config, log)
    {
        _shutdownTimeout = config.GetTimeSpan("akka.scheduler.shutdown-timeout");
        _thread = new Thread(Run) { IsBackground = true, Name = "akka timers" };
        _thread.Start();
    }

    public override TimeSpan MonotonicClock => TimeProvider.System.GetElapsedTime(_started);

    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    protected override DateTimeOffset TimeNow => TimeProvider.System.GetUtcNow();

    /// <summary>Ends the thread, then runs what still waits, once.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
            Monitor.Pulse(_gate);
        }

        if (Thread.CurrentThread != _thread && !_thread.Join(_shutdownTimeout))
        {
            Log.Warning("The timers did not end within {0}.", _shutdownTimeout);
            return;
        }

        while (_entries.TryDequeue(out Entry? entry, out _))
        {
            Fire(entry);
        }
    }

    protected override void InternalScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => Add(new Entry(() => receiver.Tell(message, sender), TimeSpan.Zero, cancelable), delay);

    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => Add(new Entry(() => receiver.Tell(message, sender), interval, cancelable), initialDelay);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Add(new Entry(action, TimeSpan.Zero, cancelable), delay);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        Add(new Entry(action.Run, TimeSpan.Zero, cancelable), delay);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Add(new Entry(action, interval, cancelable), initialDelay);

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        IRunnable action,
        ICancelable cancelable
    ) => Add(new Entry(action.Run, interval, cancelable), initialDelay);

    /// <exception cref="SchedulerException">The system has ended.</exception>
    private void Add(Entry entry, TimeSpan delay)
    {
        lock (_gate)
        {
            if (_ended)
            {
                throw new SchedulerException("The actor system has ended: nothing can be scheduled any more.");
            }

            Enqueue(entry, MonotonicClock + delay);
        }
    }

    /// <summary>With the lock held: puts it into the queue, and wakes the thread if this is the next that is due.</summary>
    private void Enqueue(Entry entry, TimeSpan due)
    {
        TimeSpan at = entry.Interval == TimeSpan.Zero ? due : OnGrid(due, entry.Interval);
        (TimeSpan Due, long Number) priority = (at, _number++);
        _entries.Enqueue(entry, priority);
        _entries.TryPeek(out _, out (TimeSpan Due, long Number) first);
        if (first == priority)
        {
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        while (TakeDue() is ({ } entry, TimeSpan due))
        {
            Fire(entry);
            if (entry.Interval > TimeSpan.Zero && !entry.Cancelled)
            {
                lock (_gate)
                {
                    Enqueue(entry, Later(due + entry.Interval, MonotonicClock));
                }
            }
        }
    }

    /// <returns>The next that is due, once it is, or was cancelled, and when it was; null at the end.</returns>
    private (Entry Entry, TimeSpan Due)? TakeDue()
    {
        lock (_gate)
        {
            while (!_ended)
            {
                TimeSpan sleep = LongestSleep;
                if (_entries.TryPeek(out Entry? entry, out (TimeSpan Due, long Number) first))
                {
                    TimeSpan now = MonotonicClock;
                    if (first.Due <= now || entry.Cancelled)
                    {
                        _entries.Dequeue();
                        return (entry, first.Due);
                    }

                    sleep = first.Due - now;
                }

                // A wait is in whole milliseconds, and one cut short would spin until the timer is due.
                Monitor.Wait(_gate, (int)Math.Ceiling(Math.Min(sleep.TotalMilliseconds, LongestSleep.TotalMilliseconds)));
            }

            return null;
        }
    }

    private void Fire(Entry entry)
    {
        if (entry.Cancelled)
        {
            return;
        }

        try
        {
            entry.Action();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.Error(e, "A timer's action failed.");
        }
    }

    /// <summary>When what repeats with a period fires that is not due before a time.</summary>
    internal static TimeSpan OnGrid(TimeSpan due, TimeSpan interval)
    {
        long grid =
            interval < ShortestShared ? FinestGrid.Ticks
            : interval <= CoarsestGrid ? interval.Ticks
            : interval.Ticks % CoarsestGrid.Ticks == 0 ? CoarsestGrid.Ticks
            : OtherGrid.Ticks;
        return new((due.Ticks + grid - 1) / grid * grid);
    }

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private sealed record Entry(Action Action, TimeSpan Interval, ICancelable? Cancelable)
    {
        public bool Cancelled => Cancelable?.IsCancellationRequested ?? false;
    }
}
