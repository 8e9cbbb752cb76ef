using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;

namespace ActorTrainer.Akka.Members;

/// <summary>
/// Akka's phi-accrual detector, which knows one thing sooner: a node whose process is gone for certain is not available, and its silence need
/// not be waited for. Without it a downed member would stay in the cluster, and keep its shards, until its silence is long enough.
/// </summary>
/// <remarks>Made by Akka from <c>akka.cluster.failure-detector.implementation-class</c>, by reflection; one for each watched address.</remarks>
public sealed class CrashAwareFailureDetector : PhiAccrualFailureDetector
{
    private readonly CrashMarks _marks;

    /// <summary>Called by Akka.</summary>
    public CrashAwareFailureDetector(Config config, EventStream ev)
        : base(config, ev) => _marks = CrashMarks.Of(ev);

    /// <inheritdoc />
    public override bool IsAvailable => !_marks.Contains(Address) && base.IsAvailable;

    /// <inheritdoc />
    public override void HeartBeat()
    {
        // Somebody lives at the address: the node has been started again.
        _marks.Remove(Address);
        base.HeartBeat();
    }
}

/// <summary>The addresses of one actor system's cluster at which a process has died, until something is heard from there again.</summary>
internal sealed class CrashMarks
{
    private static readonly ConditionalWeakTable<EventStream, CrashMarks> BySystem = [];

    private readonly ConcurrentDictionary<string, bool> _addresses = new(StringComparer.Ordinal);

    /// <summary>Those of the system that an event stream belongs to, which is all of the system that a failure detector is given.</summary>
    public static CrashMarks Of(EventStream events) => BySystem.GetValue(events, static _ => new CrashMarks());

    public void Add(string address) => _addresses[address] = true;

    public void Remove(string address) => _addresses.TryRemove(address, out _);

    public bool Contains(string address) => _addresses.ContainsKey(address);
}
