using System.Runtime.CompilerServices;
using ActorTrainer.Core.Cluster;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Finds a member unreachable that was silent for <c>acceptable-heartbeat-pause</c>. Time in which this process itself stood still does not
/// count.
/// </summary>
/// <remarks>
/// Made by Akka from <c>akka.cluster.failure-detector.implementation-class</c>, by reflection; one for each watched address.
/// </remarks>
public sealed class SilenceDetector : FailureDetector
{
    private readonly ListeningTime _time;
    private readonly TimeSpan _limit;
    private long _heardAt = -1;

    /// <summary>Called by Akka.</summary>
    public SilenceDetector(Config config, EventStream ev)
        : this(config.GetTimeSpan("acceptable-heartbeat-pause"), ListeningTime.Of(ev, config.GetTimeSpan("heartbeat-interval"))) { }

    internal SilenceDetector(TimeSpan limit, ListeningTime time)
    {
        _limit = limit;
        _time = time;
    }

    /// <inheritdoc />
    public override bool IsMonitoring => Volatile.Read(ref _heardAt) >= 0;

    /// <inheritdoc />
    public override bool IsAvailable
    {
        get
        {
            TimeSpan now = _time.Now;
            long heard = Volatile.Read(ref _heardAt);
            return heard < 0 || now - TimeSpan.FromTicks(heard) <= _limit;
        }
    }

    /// <inheritdoc />
    public override void HeartBeat() => Volatile.Write(ref _heardAt, _time.Now.Ticks);
}

/// <summary>
/// The time in which one actor system has listened, shared by its detectors. Akka asks them or tells them of a heartbeat at least at every
/// heartbeat interval; a gap much longer than that is one in which the process stood still.
/// </summary>
/// <param name="clock">Monotonic time.</param>
/// <param name="heartbeatInterval">How often it is asked for the time at least.</param>
internal sealed class ListeningTime(Func<TimeSpan> clock, TimeSpan heartbeatInterval)
{
    /// <summary>A busy processor makes a gap as long as this; it counts as lived through.</summary>
    private static readonly TimeSpan LeastStep = TimeSpan.FromMilliseconds(500);

    private static readonly ConditionalWeakTable<EventStream, ListeningTime> BySystem = [];

    private readonly Lock _gate = new();
    private readonly OwnTime _lived = new(TimeSpan.FromTicks(Math.Max(LeastStep.Ticks, 2 * heartbeatInterval.Ticks)));

    /// <summary>Monotonic time, whether anybody listened or not.</summary>
    public TimeSpan Clock => clock();

    /// <summary>When the process last went on after it stood still, by <see cref="Clock"/>; null: it never did.</summary>
    public TimeSpan? PausedUntil
    {
        get
        {
            lock (_gate)
            {
                return _lived.PausedUntil;
            }
        }
    }

    /// <summary>How long it has listened.</summary>
    public TimeSpan Now
    {
        get
        {
            lock (_gate)
            {
                return _lived.At(clock());
            }
        }
    }

    /// <summary>That of the system that an event stream belongs to, which is all of the system that a failure detector is given.</summary>
    public static ListeningTime Of(EventStream events, TimeSpan heartbeatInterval) =>
        BySystem.GetValue(
            events,
            _ =>
            {
                long started = TimeProvider.System.GetTimestamp();
                return new ListeningTime(() => TimeProvider.System.GetElapsedTime(started), heartbeatInterval);
            }
        );
}
