using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Sqlite;
using ActorTrainer.Journal.Tables;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Journal;

/// <summary>
/// The journal in an SQLite file that the nodes of one machine share. docs/formats/journal.md describes tables, locks and when each
/// write is accepted.
/// </summary>
public sealed partial class SqliteJournal : IJournal
{
    /// <summary>
    /// A test-only environment variable: <c>off</c> makes appends of any owner and term accepted behind whatever is there, to show what
    /// fencing prevents.
    /// </summary>
    public const string FencingVariable = "ACTORTRAINER_TEST_FENCING";

    private readonly TimeProvider _time;
    private readonly WriteLane _writes;
    private readonly ReadLane _ownershipReads;
    private readonly ReadLane _listReads;
    private readonly LifeLocks _lifeLocks;

    private SqliteJournal(SqliteJournalOptions options, string identity, WriteLane writes, TimeProvider time)
    {
        _time = time;
        _writes = writes;
        Identity = identity;

        // A long list must not delay a claim after a node's loss.
        _ownershipReads = new ReadLane("actortrainer-journal-reads", options, identity, time);
        _listReads = new ReadLane("actortrainer-journal-lists", options, identity, time);
        _lifeLocks = new LifeLocks(options.LifeFolder);
        _ownershipReads.Start();
        _listReads.Start();
    }

    /// <summary>The journal's identity, drawn when it was made.</summary>
    public string Identity { get; }

    /// <summary>Opens the journal at a path, or makes it when there is none.</summary>
    /// <param name="path">The SQLite file, absolute; on a local disk. Its lock files lie beside it.</param>
    /// <param name="numberOfShards">Fixed for the journal's life.</param>
    /// <param name="time">The clock for event times, limits and the watch over waiting writes.</param>
    /// <param name="logger">Where failures are logged.</param>
    /// <param name="cancellationToken">Gives the waiting up.</param>
    /// <exception cref="JournalOpenException">It cannot be used; the message says why and what to do.</exception>
    public static Task<SqliteJournal> OpenAsync(
        string path, int numberOfShards, TimeProvider time, ILogger<SqliteJournal> logger, CancellationToken cancellationToken = default)
    {
        bool fencing = !string.Equals(Environment.GetEnvironmentVariable(FencingVariable), "off", StringComparison.Ordinal);
        return OpenAsync(new SqliteJournalOptions(Path.GetFullPath(path), numberOfShards) { Fencing = fencing }, time, logger, cancellationToken);
    }

    internal static async Task<SqliteJournal> OpenAsync(
        SqliteJournalOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.NumberOfShards);
        var writes = new WriteLane(options, PrepareFolder(options), time, logger);
        writes.Start();
        try
        {
            string identity = await OpenDatabaseAsync(options, writes, time, cancellationToken).ConfigureAwait(false);
            if (!options.Fencing)
            {
                LogFencingOff(logger, options.Path, FencingVariable);
            }

            return new SqliteJournal(options, identity, writes, time);
        }
        catch
        {
            await writes.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public Task<JournalReply> SendAsync(JournalRequest request, CancellationToken cancellationToken)
    {
        PreparedRequest prepared = PreparedRequest.Create(request, _time, encode: true);
        Lane lane = !prepared.IsRead ? _writes : request is ClaimRequest or ReadClusterRequest ? _ownershipReads : _listReads;
        return lane.SendAsync(prepared, cancellationToken);
    }

    /// <inheritdoc />
    public Task HoldLifeLockAsync(long incarnation, CancellationToken cancellationToken)
    {
        _lifeLocks.Hold(incarnation);
        _writes.SetIncarnation(incarnation);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<bool?> IsLifeLockFreeAsync(long incarnation, CancellationToken cancellationToken) =>
        Task.FromResult(_lifeLocks.IsFree(incarnation));

    /// <inheritdoc />
    public void ConfirmDown(long incarnation) => _writes.ConfirmDown(incarnation);

    /// <summary>Finishes the writes that wait, for at most 5 s, and frees the life lock.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writes.DisposeAsync().ConfigureAwait(false);
        await _ownershipReads.DisposeAsync().ConfigureAwait(false);
        await _listReads.DisposeAsync().ConfigureAwait(false);
        _lifeLocks.Dispose();
    }

    private static JournalLock PrepareFolder(SqliteJournalOptions options)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new JournalOpenException(
                JournalOpenFailure.UnsupportedPlatform, "The SQLite journal runs on Linux only: it relies on flock and /proc there.");
        }

        string folder = Path.GetDirectoryName(options.Path)!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalOpenException(
                JournalOpenFailure.Unusable,
                $"The journal's folder {folder} cannot be made ({e.Message}). Make it yourself, or set actortrainer.journal.path.",
                e);
        }

        FileSystemCheck.RefuseNetwork(folder);
        return JournalLock.Open(options.LockPath);
    }

    private static async Task<string> OpenDatabaseAsync(
        SqliteJournalOptions options, WriteLane writes, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            PreparedRequest request = PreparedRequest.Create(new OpenRequest(), time, encode: false);
            switch (await writes.SendAsync(request, cancellationToken).ConfigureAwait(false))
            {
                case OpenReply opened:
                    return opened.Identity;
                case OpenFailedReply failed:
                    throw failed.Exception;
                case JournalFailed failed when time.GetElapsedTime(start) >= options.OpenLimit:
                    throw new JournalOpenException(
                        JournalOpenFailure.Locked, $"The journal {options.Path} could not be opened: {failed.Reason}. End that process.");
            }
        }
    }
}
