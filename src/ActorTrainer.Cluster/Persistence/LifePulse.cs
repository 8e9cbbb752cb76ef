using Microsoft.Extensions.Logging;
using Npgsql;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// What shows that a life's process is there: a lock that dies with it, and a beat that it advances every second. With SQLite the lock is a
/// file's, which the operating system frees. With PostgreSQL it is a session's, which can be lost while the node lives: every beat is
/// written by the session that holds the lock, so that a loss is noticed, and the lock is taken again at once.
/// </summary>
internal sealed partial class LifePulse : IAsyncDisposable
{
    /// <summary>Keeps our advisory locks apart from those of others in the same database.</summary>
    internal const long KeySpace = 7400L << 32;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(5);

    private readonly JournalDatabase _database;
    private readonly LifeLocks? _files;
    private readonly long _incarnation;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _over = new();
    private NpgsqlConnection? _session;
    private Task _beating = Task.CompletedTask;

    private LifePulse(JournalDatabase database, string path, long incarnation, TimeProvider time, ILogger logger)
    {
        _database = database;
        _files = database.IsSqlite ? new LifeLocks(LifeProof.FolderOf(path)) : null;
        _incarnation = incarnation;
        _time = time;
        _logger = logger;
    }

    /// <summary>Takes the lock of a life of this process, and keeps it and beats until it is disposed of or the process dies.</summary>
    /// <param name="database">The journal's database.</param>
    /// <param name="path">Its file, for SQLite.</param>
    /// <param name="incarnation">The life.</param>
    /// <param name="time">Time between beats.</param>
    /// <param name="logger">Where a lost lock is said.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public static async Task<LifePulse> BeginAsync(
        JournalDatabase database,
        string path,
        long incarnation,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        LifePulse pulse = new(database, path, incarnation, time, logger);
        try
        {
            pulse._files?.Hold(incarnation);
            if (pulse._files is null)
            {
                await pulse.BeatInSessionAsync(cancellationToken);
            }

            pulse._beating = Task.Run(pulse.BeatAsync, CancellationToken.None);
            return pulse;
        }
        catch
        {
            await pulse.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();

        // First: a beat that waits for the database must not keep the lock.
        _files?.Dispose();
        await _beating.WaitAsync(EndWithin, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await EndSessionAsync();
    }

    private async Task BeatAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            TimeSpan wait = Interval;
            try
            {
                if (_files is not null)
                {
                    await _database.WriteAsync(
                        session => session.RunAsync("UPDATE actortrainer_member SET beat = beat + 1 WHERE incarnation = @a", _incarnation),
                        _over.Token
                    );
                }
                else
                {
                    await BeatInSessionAsync(_over.Token);

                    // Ends early when the server ends the session.
                    await _session!.WaitAsync(Interval, _over.Token);
                    wait = TimeSpan.Zero;
                }
            }
            catch (Exception e) when (DatabaseErrors.IsAway(e) || e is IOException or InvalidOperationException)
            {
                if (!_over.IsCancellationRequested)
                {
                    LogNoBeat(_logger, _incarnation, e.Message);
                    await EndSessionAsync();
                    wait = AgainAfter;
                }
            }

            await Task.Delay(wait, _time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task BeatInSessionAsync(CancellationToken cancellationToken)
    {
        if (_session is null)
        {
            // Of its own: a pooled connection goes to others when it is given back. The server ends a session whose client is gone within
            // some seconds.
            NpgsqlConnectionStringBuilder builder = new(_database.ConnectionString)
            {
                Pooling = false,
                CommandTimeout = 5,
                Timeout = 5,
            };
            _session = new NpgsqlConnection(builder.ConnectionString);
            await _session.OpenAsync(cancellationToken);
            await ScalarAsync(
                "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3",
                cancellationToken
            );
            if (await ScalarAsync("SELECT pg_try_advisory_lock(@a)", cancellationToken, ("a", KeySpace + _incarnation)) is not true)
            {
                throw new TimeoutException("the server has not ended the session yet that held the lock before");
            }
        }

        await ScalarAsync(
            "UPDATE actortrainer_member SET beat = beat + 1, "
                + "server_started = extract(epoch FROM pg_postmaster_start_time())::text WHERE incarnation = @a",
            cancellationToken,
            ("a", _incarnation)
        );
    }

    private async Task<object?> ScalarAsync(string sql, CancellationToken cancellationToken, params (string Name, object Value)[] values)
    {
#pragma warning disable CA2100 // Statements are constants of this class; values are parameters.
        await using NpgsqlCommand command = new(sql, _session);
#pragma warning restore CA2100
        foreach ((string name, object value) in values)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private async Task EndSessionAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "life {Incarnation} could not show in the journal's database that it lives, and tries again: {Problem}"
    )]
    private static partial void LogNoBeat(ILogger logger, long incarnation, string problem);
}
