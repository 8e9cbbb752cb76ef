using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using Akka.Actor;
using Microsoft.Extensions.Logging;
using AkkaCluster = Akka.Cluster.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Brings a life into the cluster of its journal: founds it, or joins those that are in it, as <see cref="FoundingRule"/> says. In a host's
/// own system the host joins; then only the epoch is founded or entered, and the members of the epoch are waited for.
/// </summary>
internal sealed partial class ClusterEntry(
    ActorSystem system,
    bool ownSystem,
    long self,
    IReadOnlyCollection<NodeAddress> seeds,
    ClusterTable table,
    LifeProof proof,
    TimeProvider time,
    ILogger logger
)
{
    private const string LeftOut = "members that live do not let it in: it asks them anew over other connections";
    private static readonly TimeSpan PollFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>An answer may take a while when processors are busy: each further attempt waits longer for it.</summary>
    private static readonly TimeSpan JoinAgainAtLeast = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan JoinAgainAtMost = TimeSpan.FromSeconds(3);
    private const int FewAttempts = 5;

    private readonly AkkaCluster _cluster = AkkaCluster.Get(system);
    private readonly BeatLedger _beats = new();
    private readonly OwnTime _lived = new(TimeSpan.FromSeconds(1));
    private readonly long _started = time.GetTimestamp();
    private IReadOnlyList<long> _asked = [];
    private TimeSpan _askAgainAt;
    private TimeSpan? _joinersSince;
    private TimeSpan? _askingSince;
    private int _attempts;

    /// <summary>
    /// So long after it has begun to ask living members the life ends when none has let it in. Connections that were begun in a cut
    /// network, by both sides at once, may stay without an answer for good once it is healed; those of the node's next life are new.
    /// </summary>
    public TimeSpan GivesUpAfter { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Runs until the life is a member.</summary>
    /// <returns>Null, or why the life has to end.</returns>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait = PollFirst;
        while (!IsIn())
        {
            FoundingStep? step = null;
            try
            {
                step = await StepAsync(cancellationToken);
            }
            catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
            {
                LogJournalAway(logger, self, e.Message);
            }

            switch (step)
            {
                case FoundingStep.End end:
                    return end.Reason;
                case FoundingStep.Enter or FoundingStep.Found:
                    continue;
                default:
                    await Task.Delay(wait, time, cancellationToken);
                    wait = TimeSpan.FromTicks(Math.Min(PollEvery.Ticks, wait.Ticks * 3 / 2));
                    break;
            }
        }

        return null;
    }

    /// <summary>
    /// In a system of its own this life is in when Akka has let it in. In a host's, when it has entered the epoch of the members around it.
    /// </summary>
    private bool IsIn() => _entered && Is(_cluster.SelfMember.Status);

    private bool _entered;

    private static bool Is(AkkaStatus status) => status is AkkaStatus.Joining or AkkaStatus.WeaklyUp or AkkaStatus.Up or AkkaStatus.Leaving;

    private async Task<FoundingStep> StepAsync(CancellationToken cancellationToken)
    {
        ClusterRecord record = await table.ReadAsync(cancellationToken);
        TimeSpan lived = _lived.At(time.GetElapsedTime(_started));
        _beats.Observe([.. record.Rows.Select(p => (p.Member.Incarnation, p.Beat))], lived);
        List<EpochLife> lives = [];
        foreach (
            MemberRow row in record.Rows.Where(p =>
                p.Member.IsRegistered && p.Epoch > 0 && p.Epoch == record.Epoch && p.Member.Incarnation != self
            )
        )
        {
            LifeEvidence evidence = await proof.AskAsync(row.Member.Incarnation, cancellationToken);
            TimeSpan still = lived - _beats.MovedAt(row.Member.Incarnation) ?? TimeSpan.Zero;
            lives.Add(new EpochLife(row.Member.Incarnation, row.Member.Status, DeathRule.IsPast(evidence with { BeatStill = still })));
        }

        MemberRow? own = record.Find(self);
        FoundingView view = new(self, own?.Epoch ?? 0, own?.Member.IsRegistered != true, record.Epoch, record.Founder, lives);
        _joinersSince = FoundingRule.OnlyJoiners(view) ? _joinersSince ?? lived : null;
        view = view with { Waited = lived - _joinersSince ?? TimeSpan.Zero };
        _entered = view.SelfEpoch > 0 && view.SelfEpoch == view.Epoch;
        FoundingStep step = FoundingRule.Decide(view, Preferred(record), _attempts);
        await DoAsync(step, record, cancellationToken);
        return step is FoundingStep.Join && IsLeftOut(lived) ? new FoundingStep.End(LeftOut) : step;
    }

    private bool IsLeftOut(TimeSpan lived)
    {
        _askingSince ??= lived;
        return ownSystem && _attempts >= FewAttempts && lived - _askingSince > GivesUpAfter && !Is(_cluster.SelfMember.Status);
    }

    private HashSet<long> Preferred(ClusterRecord record) =>
        [.. record.Rows.Where(p => seeds.Contains(p.Member.Address)).Select(p => p.Member.Incarnation)];

    private async Task DoAsync(FoundingStep step, ClusterRecord record, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case FoundingStep.Found found:
                // In a host's system the cluster is the host's: it is founded when it stands.
                if (!ownSystem && !Is(_cluster.SelfMember.Status))
                {
                    await Task.Delay(PollEvery, time, cancellationToken);
                }
                else if (await table.FoundAsync(self, record.Epoch, found.Past, cancellationToken))
                {
                    LogFounded(logger, self, record.Epoch + 1);
                }

                break;
            case FoundingStep.Enter enter:
                if (ownSystem || IsAmong(record))
                {
                    await table.EnterAsync(self, enter.Epoch, cancellationToken);
                }
                else
                {
                    LogHostNotJoined(logger, self, system.Name);
                    await Task.Delay(PollEvery, time, cancellationToken);
                }

                break;
            case FoundingStep.JoinSelf when ownSystem:
                _cluster.Join(_cluster.SelfAddress);
                break;
            case FoundingStep.Join join when ownSystem:
                Join(join.Lives, record);
                break;
        }
    }

    /// <summary>Whether the host's system is in one cluster with a living member of the epoch.</summary>
    private bool IsAmong(ClusterRecord record)
    {
        HashSet<MemberKey> members = [.. _cluster.State.Members.Where(m => Is(m.Status)).Select(GossipStates.KeyOf)];
        return record.Rows.Any(p => p.Member.IsRegistered && p.Epoch == record.Epoch && members.Contains(p.Member.System));
    }

    private void Join(IReadOnlyList<long> lives, ClusterRecord record)
    {
        TimeSpan now = time.GetElapsedTime(_started);
        if (now < _askAgainAt && _asked.SequenceEqual(lives))
        {
            return;
        }

        _attempts++;
        _asked = lives;
        _askAgainAt = now + TimeSpan.FromTicks(Math.Min(JoinAgainAtMost.Ticks, JoinAgainAtLeast.Ticks * _attempts));
        Address[] contacts =
        [
            .. lives
                .Select(life => record.Find(life)?.Member.System.Address)
                .Where(a => !string.IsNullOrEmpty(a))
                .Select(a => Address.Parse(a!)),
        ];
        if (contacts.Length > 0)
        {
            _cluster.JoinSeedNodes(contacts);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "life {Life} founds the cluster (epoch {Epoch}): nobody of the one before is alive"
    )]
    private static partial void LogFounded(ILogger logger, long life, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "life {Life} waits for the journal before it joins the cluster: {Problem}")]
    private static partial void LogJournalAway(ILogger logger, long life, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "life {Life} waits: the cluster on record has living members, and the host's actor system {System} is in no cluster "
            + "with any of them; let the host join them"
    )]
    private static partial void LogHostNotJoined(ILogger logger, long life, string system);
}
