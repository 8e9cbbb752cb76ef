using System.Globalization;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Tables;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>
/// The journal thread: all writes of this process, and the checkpoints of the WAL, under the flock that all processes share. What
/// waits in the queue when the lock is taken is committed together with one sync.
/// </summary>
internal sealed partial class WriteLane : Lane
{
    /// <summary>A holder is not looked at before its wait is longer than any healthy transaction.</summary>
    private static readonly TimeSpan KillAfter = TimeSpan.FromMilliseconds(100);

    private readonly SqliteJournalOptions _options;
    private readonly ILogger _logger;
    private readonly JournalLock _lock;
    private readonly Lock _confirmedGate = new();
    private readonly HashSet<long> _confirmedDown = [];
    private JournalConnection? _connection;
    private SqliteTables? _tables;
    private string? _identity;
    private bool _locked;
    private int _writes;
    private long _incarnation;
    private long _waitingSince;

    public WriteLane(SqliteJournalOptions options, JournalLock journalLock, TimeProvider time, ILogger logger)
        : base("actortrainer-journal", time, options.Limit)
    {
        _options = options;
        _lock = journalLock;
        _logger = logger;
    }

    /// <summary>The incarnation that the lock file names from now on.</summary>
    public void SetIncarnation(long incarnation) => Volatile.Write(ref _incarnation, incarnation);

    public void ConfirmDown(long incarnation)
    {
        lock (_confirmedGate)
        {
            _confirmedDown.Add(incarnation);
        }
    }

    protected override void Prepare()
    {
        long incarnation = Volatile.Read(ref _incarnation);
        if (!_lock.TryAcquire(incarnation))
        {
            Volatile.Write(ref _waitingSince, Math.Max(1, Time.GetTimestamp()));
            try
            {
                _lock.Acquire(incarnation);
            }
            finally
            {
                Volatile.Write(ref _waitingSince, 0);
            }
        }

        _locked = true;
    }

    protected override void Execute(IReadOnlyList<WorkItem> batch)
    {
        var replies = new JournalReply[batch.Count];
        try
        {
            SqliteTables tables = EnsureOpen();
            _connection!.Run("BEGIN IMMEDIATE");
            for (int i = 0; i < replies.Length; i++)
            {
                replies[i] = ExecuteOne(tables, batch[i].Request);
            }

            _connection.Run("COMMIT");
            _writes += batch.Sum(item => Math.Max(1, item.Request.Appends.Count));
        }
        catch (Exception e)
        {
            // A new connection is the surest way out of whatever state this one is in, and how writing goes on once the cause is gone.
            DropConnection();
            FailAll(batch, e);
            return;
        }

        for (int i = 0; i < replies.Length; i++)
        {
            batch[i].Answer(replies[i]);
        }

        CheckpointWhenDue();
    }

    protected override void Finish()
    {
        if (_locked)
        {
            _locked = false;
            _lock.Release();
        }
    }

    protected override void Close()
    {
        DropConnection();
        _lock.Dispose();
    }

    /// <summary>Ends the holder of the lock when it is one that gossip has confirmed down: a stopped process blocks everybody.</summary>
    protected override void OnWatch()
    {
        long since = Volatile.Read(ref _waitingSince);
        if (since == 0 || Time.GetElapsedTime(since) < KillAfter || _lock.ReadHolder() is not { } holder)
        {
            return;
        }

        bool confirmed;
        lock (_confirmedGate)
        {
            confirmed = _confirmedDown.Contains(holder.Incarnation);
        }

        if (confirmed && holder.Process.Pid != Environment.ProcessId && holder.Process.IsRunning)
        {
            int error = NativeMethods.Kill(holder.Process.Pid, NativeMethods.SignalKill);
            LogHolderKilled(holder.Process.Pid, holder.Incarnation, error == 0 ? "done" : NativeMethods.Describe(error));
        }
    }

    protected override string ExplainWaiting(TimeSpan limit)
    {
        if (Volatile.Read(ref _waitingSince) == 0)
        {
            return $"the journal did not come to this write within {limit.TotalSeconds:0.#} s (is the disk slow or stuck?); it was not done";
        }

        int? pid = _lock.FindHolderPid() ?? _lock.ReadHolder()?.Process.Pid;
        string holder = pid is null ? "another process" : string.Create(CultureInfo.InvariantCulture, $"pid {pid}");
        return $"the journal's write lock {_lock.Path} is held by {holder} for more than {limit.TotalSeconds:0.#} s; the write was not done";
    }

    private JournalReply ExecuteOne(SqliteTables tables, PreparedRequest request)
    {
        if (request.Request is OpenRequest)
        {
            return new OpenReply(tables.Identity);
        }

        // A request that fails takes neither its neighbours' work nor the transaction with it.
        _connection!.Run("SAVEPOINT request");
        try
        {
            JournalReply reply = JournalRules.Execute(tables, request, _options.Fencing);
            _connection.Run("RELEASE request");
            return reply;
        }
        catch (Exception e) when (e is not SqliteException sqlite || SqliteErrors.IsOfOneStatement(sqlite))
        {
            _connection.Run("ROLLBACK TO request");
            _connection.Run("RELEASE request");
            LogRequestFailed(e, request.Request.GetType().Name);
            return new JournalFailed($"the journal refused {request.Request.GetType().Name}: {e.Message}");
        }
    }

    private SqliteTables EnsureOpen()
    {
        if (_tables is not null)
        {
            return _tables;
        }

        // Only the first opening may make the file: a journal that vanished under a running node must not come back empty.
        _connection = JournalConnection.OpenWriter(_options.Path, create: _identity is null);
        if (_connection.IsReadOnly)
        {
            throw new SqliteException("attempt to write a readonly database", SQLitePCL.raw.SQLITE_READONLY);
        }

        string identity = SqliteSchema.Ensure(_connection, _options.Path, _options.NumberOfShards);
        if (_identity is not null && _identity != identity)
        {
            throw new JournalOpenException(
                JournalOpenFailure.OtherIdentity,
                $"the file {_options.Path} became another journal ({identity} instead of {_identity}): restart the node");
        }

        _identity = identity;
        _options.OnWriterOpened?.Invoke(_connection);
        return _tables = new SqliteTables(_connection, identity, _options.NumberOfShards);
    }

    private void DropConnection()
    {
        _tables = null;
        _connection?.Dispose();
        _connection = null;
    }

    private void FailAll(IReadOnlyList<WorkItem> batch, Exception exception)
    {
        JournalOpenException? open = exception as JournalOpenException;
        string reason = exception is SqliteException sqlite ? SqliteErrors.Explain(sqlite, _options.Path) : exception.Message;

        // What SQLite says is explained in words; a stack trace is for what nobody expected.
        LogBatchFailed(exception is SqliteException or JournalOpenException ? null : exception, batch.Count, reason);
        foreach (WorkItem item in batch)
        {
            item.Answer(item.Request.Request is OpenRequest
                ? new OpenFailedReply(open ?? new JournalOpenException(JournalOpenFailure.Unusable, reason, exception))
                : new JournalFailed(reason));
        }
    }

    private void CheckpointWhenDue()
    {
        if (_writes < _options.WritesPerCheckpoint)
        {
            return;
        }

        _writes = 0;
        try
        {
            (int frames, int moved) = _connection!.Checkpoint(truncate: false);
            if (moved == frames && new FileInfo(_options.WalPath) is { Exists: true } wal && wal.Length >= _options.TruncateWalBytes)
            {
                _connection.Checkpoint(truncate: true);
            }
        }
        catch (SqliteException e)
        {
            // What was answered stands in the WAL; the next writes say whether the disk is to blame.
            LogCheckpointFailed(e, SqliteErrors.Explain(e, _options.Path));
            DropConnection();
        }
    }
}
