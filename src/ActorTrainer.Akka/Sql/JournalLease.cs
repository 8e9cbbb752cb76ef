using System.Data.Common;
using Akka.Actor;
using Akka.Coordination;
using ActorTrainer.Akka.Hosting;
using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Akka.Sql;

/// <summary>
/// The lease by which Akka's split-brain resolver lets one side live: a row in the journal's database, kept by a beat. No clock is compared:
/// a lease may be taken when its beat has not changed for <c>heartbeat-timeout</c> by the taker's own clock. So of two sides the one that
/// reaches the journal goes on, and a lone survivor does too.
/// </summary>
/// <remarks>Made by Akka from <c>akka.coordination.lease.actortrainer</c>, by reflection.</remarks>
public sealed class JournalLease : Lease
{
    private const string Nobody = "";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly AkkaDatabase _database;
    private readonly TimeProvider _time;
    private readonly string _owner;
    private readonly long _incarnation;
    private ITimer? _beat;
    private volatile bool _held;
    private Action<Exception>? _lost;

    /// <summary>Called by Akka.</summary>
    /// <exception cref="InvalidOperationException">The actor system was not prepared by ActorTrainer.</exception>
    public JournalLease(LeaseSettings settings, ExtendedActorSystem system)
        : base(settings)
    {
        EngineSetup setup = EngineSetup.Of(system);
        _database = setup.Database;
        _time = setup.Time;

        // A restarted node has the address of its former life, whose lease is not its own.
        _incarnation = setup.Incarnation;
        _owner = $"{settings.OwnerName}#{_incarnation}";
    }

    /// <inheritdoc />
    public override Task<bool> Acquire() => Acquire(_ => { });

    /// <inheritdoc />
    public override async Task<bool> Acquire(Action<Exception> leaseLostCallback)
    {
        if (_held)
        {
            return true;
        }

        using CancellationTokenSource limit = new(Settings.TimeoutSettings.OperationTimeout, _time);
        try
        {
            if (!await TakeAsync(limit.Token))
            {
                return false;
            }
        }
        catch (Exception e) when (e is DbException or OperationCanceledException or TimeoutException or System.Net.Sockets.SocketException)
        {
            // A side that does not reach the journal could not commit anything anyway.
            return false;
        }

        _lost = leaseLostCallback;
        _held = true;
        _beat = _time.CreateTimer(_ => _ = BeatAsync(), null, Settings.TimeoutSettings.HeartbeatInterval, Settings.TimeoutSettings.HeartbeatInterval);
        return true;
    }

    /// <inheritdoc />
    public override async Task<bool> Release()
    {
        _held = false;
        if (_beat is { } beat)
        {
            await beat.DisposeAsync();
        }

        using CancellationTokenSource limit = new(Settings.TimeoutSettings.OperationTimeout, _time);
        await _database.WriteAsync(
            session => session.RunAsync("DELETE FROM actortrainer_lease WHERE name = @a AND owner = @b", Settings.LeaseName, _owner), limit.Token);
        return true;
    }

    /// <inheritdoc />
    public override bool CheckLease() => _held;

    private async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        (string Owner, long Beat)? first = null;
        while (true)
        {
            (string Owner, long Beat)? seen = await InsertOrSeeAsync(cancellationToken);
            if (seen is not { } row)
            {
                return true;
            }

            if (row.Owner == Nobody)
            {
                return false;
            }

            first ??= row;
            if (row != first)
            {
                // Its holder lives.
                return false;
            }

            if (_time.GetElapsedTime(started) >= Settings.TimeoutSettings.HeartbeatTimeout)
            {
                return await ReplaceAsync(row.Owner, row.Beat, cancellationToken);
            }

            await Task.Delay(LookEvery, _time, cancellationToken);
        }
    }

    /// <summary>
    /// Takes a free lease; otherwise says who holds it. Null: it is ours. A life that is down on record gets none: the others have gone on
    /// without it while it was stopped or cut off.
    /// </summary>
    private Task<(string Owner, long Beat)?> InsertOrSeeAsync(CancellationToken cancellationToken) => _database.WriteAsync<(string, long)?>(
        async session =>
        {
            List<string> gone = await session.QueryAsync(
                "SELECT status FROM actortrainer_member WHERE incarnation = @a AND status IN (@b, @c)",
                r => r.GetString(0),
                _incarnation,
                nameof(MemberStatus.Down),
                nameof(MemberStatus.Removed));
            if (gone.Count > 0)
            {
                return (Nobody, 0);
            }

            await session.RunAsync(
                "INSERT INTO actortrainer_lease (name, owner, beat) VALUES (@a, @b, 1) ON CONFLICT (name) DO NOTHING", Settings.LeaseName, _owner);
            (string Owner, long Beat) row = (await session.QueryAsync(
                "SELECT owner, beat FROM actortrainer_lease WHERE name = @a", r => (r.GetString(0), r.GetInt64(1)), Settings.LeaseName))[0];
            return row.Owner == _owner ? null : row;
        },
        cancellationToken);

    private Task<bool> ReplaceAsync(string owner, long beat, CancellationToken cancellationToken) => _database.WriteAsync(
        async session => await session.RunAsync(
            "UPDATE actortrainer_lease SET owner = @a, beat = @b WHERE name = @c AND owner = @d AND beat = @e",
            _owner, beat + 1, Settings.LeaseName, owner, beat) == 1,
        cancellationToken);

    private async Task BeatAsync()
    {
        if (!_held)
        {
            return;
        }

        try
        {
            using CancellationTokenSource limit = new(Settings.TimeoutSettings.OperationTimeout, _time);
            bool kept = await _database.WriteAsync(
                async session => await session.RunAsync(
                    "UPDATE actortrainer_lease SET beat = beat + 1 WHERE name = @a AND owner = @b", Settings.LeaseName, _owner) == 1,
                limit.Token);
            if (!kept && _held)
            {
                _held = false;
                _lost?.Invoke(new InvalidOperationException($"the lease '{Settings.LeaseName}' was taken by another node"));
            }
        }
        catch (Exception e) when (e is DbException or OperationCanceledException or TimeoutException or System.Net.Sockets.SocketException)
        {
            // The next beat may get through; until then others see none and may take it.
        }
    }
}
