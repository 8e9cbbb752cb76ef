using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Memory;
using ActorTrainer.Journal.Tables;

namespace ActorTrainer.Journal;

/// <summary>
/// A journal in memory, for simulations and tests: the rules of the real ones without a disk. <see cref="Execute"/> is synchronous and
/// meant for one thread; <see cref="Open"/> gives handles that may be used by many, each standing for one node.
/// </summary>
public sealed class MemoryJournal
{
    private readonly MemoryTables _tables;
    private readonly TimeProvider _time;
    private readonly bool _fencing;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, bool> _lifeLocks = [];

    /// <summary>Makes an empty journal.</summary>
    /// <param name="numberOfShards">How many shards it has.</param>
    /// <param name="time">Gives the times of events and nothing else.</param>
    /// <param name="fencing">False makes appends of old terms accepted, so that a test can show what fencing prevents.</param>
    public MemoryJournal(int numberOfShards, TimeProvider time, bool fencing = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numberOfShards);
        ArgumentNullException.ThrowIfNull(time);
        _tables = new MemoryTables(numberOfShards);
        _time = time;
        _fencing = fencing;
    }

    /// <summary>Carries out one request. Not for use beside the handles of <see cref="Open"/> from other threads.</summary>
    public JournalReply Execute(JournalRequest request) =>
        JournalRules.Execute(_tables, PreparedRequest.Create(request, _time, encode: false), _fencing);

    /// <summary>A node's handle. Disposing of it frees the life locks that it holds, as the death of its process would.</summary>
    public IJournal Open() => new MemoryJournalHandle(this);

    /// <summary>Takes the life lock of an incarnation.</summary>
    public void HoldLifeLock(long incarnation)
    {
        lock (_gate)
        {
            _lifeLocks[incarnation] = true;
        }
    }

    /// <summary>Ends an incarnation: its life lock becomes free.</summary>
    public void Kill(long incarnation)
    {
        lock (_gate)
        {
            if (_lifeLocks.ContainsKey(incarnation))
            {
                _lifeLocks[incarnation] = false;
            }
        }
    }

    /// <summary>Whether the life lock of an incarnation is free; null when it was never taken.</summary>
    public bool? IsLifeLockFree(long incarnation)
    {
        lock (_gate)
        {
            return _lifeLocks.TryGetValue(incarnation, out bool held) ? !held : null;
        }
    }

    /// <summary>How many events have a lower term than an earlier event of their task; 0 while fencing works.</summary>
    public long CountDoubleWriters()
    {
        lock (_gate)
        {
            return _tables.CountDoubleWriters();
        }
    }

    internal JournalReply ExecuteShared(JournalRequest request)
    {
        lock (_gate)
        {
            return Execute(request);
        }
    }
}
