namespace ActorTrainer.Core.Membership;

// Detection: who is doubted, on what evidence, and when that is enough.
public sealed partial class MembershipCore
{
    // An accusation is said again after a third of its life, so that one lost message does not end it.
    private static readonly TimeSpan AccusationLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AccusationRenewal = TimeSpan.FromSeconds(10);

    // In a cluster of two nobody else can confirm: own silence must last this much longer.
    private const double AloneFactor = 1.5;

    // When a member came under doubt that was not before.
    private TimeSpan _newestDoubtAt;

    /// <summary>
    /// A node that was stopped, or starved, hears nothing for as long and must not take that for others' silence. Judged at every input:
    /// after a stop, waiting messages may come before the first tick.
    /// </summary>
    private void NoticeOwnPause()
    {
        _lastTick ??= _now;
        TimeSpan gap = _now - _lastTick.Value;
        if (gap <= _options.HeartbeatInterval * 2)
        {
            return;
        }

        _lastTick = _now;
        _nextHeartbeat = _now;
        _health.Doubt();
        // After a short starvation, of which a loaded machine has many, only the time that was lost does not count, and of that not the beat
        // that it heard late: were all of it forgiven each time, an observer whose every beat is late would never find anybody silent.
        // After a long one nothing that was seen before is worth anything.
        bool longStop = gap >= _options.AcceptablePause;
        foreach (Peer peer in _peers.Values)
        {
            if (longStop)
            {
                peer.Forgive(_now);
            }
            else
            {
                peer.Discount(gap - _options.HeartbeatInterval, _now);
            }
        }

        foreach (Accusation accusation in _accusations.By(_self).Where(accusation => longStop && accusation.Kind == AccusationKind.Silent))
        {
            _accusations.Remove(accusation.Target, _self);
        }
    }

    private void DetectSilence()
    {
        foreach ((long life, Peer peer) in _peers.ToArray())
        {
            MemberRecord record = Find(life)!;
            if (MemberMerge.IsFinal(record.State))
            {
                continue;
            }

            TimeSpan silence = peer.Silence(_now);
            if (peer.Watched && silence >= Pause / 2)
            {
                AskOthers(record, peer);
            }

            if (peer.Watched && silence >= Pause && peer.Estimate.Phi(_now - peer.LastHeardAt) >= _options.PhiThreshold)
            {
                Accuse(record, AccusationKind.Silent);
            }

            AskJournalAgain(record, peer);
        }

        foreach (Accusation accusation in _accusations.OlderThan(_self, _now - AccusationRenewal))
        {
            _accusations.Renew(accusation.Target, _self, _now);
            _urgentAccusations.Add(accusation);
        }

        if (_accusations.Targets.Count > 1)
        {
            ProbeUnheard();
        }
    }

    /// <summary>Asks others to ping it. Begun at half the pause, so that their answers are in before it is suspected.</summary>
    private void AskOthers(MemberRecord target, Peer peer)
    {
        if (_now - peer.AskedOthersAt < _options.ProbeTimeout)
        {
            return;
        }

        peer.AskedOthersAt = _now;
        List<MemberRecord> helpers = [.. Others().Where(other =>
            other.Incarnation != target.Incarnation && _accusations.Find(other.Incarnation, _self) is null)];
        for (int i = 0; i < _options.IndirectProbes && helpers.Count > 0; i++)
        {
            int chosen = _random.Next(helpers.Count);
            _asked[++_number] = (target.Incarnation, _now);
            Send(helpers[chosen], new IndirectPingMessage(_number, target.Incarnation));
            helpers.RemoveAt(chosen);
        }
    }

    /// <summary>When several are doubted at once the question is who is cut off: ask those that were not heard lately whether they are there.</summary>
    private void ProbeUnheard()
    {
        foreach (MemberRecord other in Others().ToArray())
        {
            Peer peer = _peers[other.Incarnation];
            if (_now - peer.LastHeardAt > _options.AcceptablePause / 2 && !(_now - peer.LastProbeAt < _options.AcceptablePause))
            {
                Probe(other);
            }
        }
    }

    private void OnStreamEnded(long incarnation)
    {
        // A member that leaves closes its connections; should it die on the way, its silence shows it.
        if (Find(incarnation) is not { State: not MemberState.Leaving } record || !_peers.TryGetValue(incarnation, out Peer? peer))
        {
            return;
        }

        peer.Connected = false;
        if (!MemberMerge.IsFinal(record.State))
        {
            peer.StreamEnded = true;
            Probe(record);
            AskJournal(record, peer);
        }
    }

    private void Probe(MemberRecord target)
    {
        Peer peer = _peers[target.Incarnation];
        if (_now - peer.ProbedSince < _options.ProbeTimeout * 2)
        {
            return;
        }

        peer.ProbedSince = _now;
        peer.LastProbeAt = _now;
        _effects.Add(new ProbeFresh(target.Incarnation, target.Address, _options.ProbeTimeout));
    }

    private void OnProbed(long incarnation, FreshProbe outcome)
    {
        if (Find(incarnation) is not { } record || MemberMerge.IsFinal(record.State) || !_peers.TryGetValue(incarnation, out Peer? peer))
        {
            return;
        }

        bool forgiven = peer.ProbedSince is null;
        peer.ProbedSince = null;
        bool doubted = _accusations.Against(incarnation).Any(accusation => accusation.Observer != _self);
        switch (outcome)
        {
            case FreshProbe.Refused or FreshProbe.OtherIncarnation:
                peer.ProbeUnanswered = true;
                if (doubted || peer.StreamEnded)
                {
                    Accuse(record, AccusationKind.Crashed);
                }

                if (outcome == FreshProbe.OtherIncarnation)
                {
                    // Its introduction supersedes the old life everywhere.
                    _effects.Add(new ConnectGossip(record.Address));
                }

                break;
            case FreshProbe.TimedOut when !forgiven:
                peer.ProbeUnanswered = true;
                if (doubted)
                {
                    Accuse(record, AccusationKind.Silent);
                }

                break;
            case FreshProbe.SameIncarnation:
                peer.ProbeUnanswered = false;
                peer.StreamEnded &= peer.Watched;
                break;
            default:
                break;
        }
    }

    private void AskJournal(MemberRecord target, Peer peer)
    {
        peer.LifeLockAskedAt = _now;
        _effects.Add(new CheckLifeLock(target.Incarnation));
    }

    /// <summary>
    /// A dying process closes its sockets before or after its lock file; and it may only be stopped now and killed later. So the journal
    /// is asked again as long as the doubt lasts.
    /// </summary>
    private void AskJournalAgain(MemberRecord target, Peer peer)
    {
        if (peer.LifeLockFree || _accusations.Find(target.Incarnation, _self) is not { } accusation)
        {
            return;
        }

        TimeSpan wait = accusation.Kind == AccusationKind.Crashed ? _options.HeartbeatInterval / 2 : _options.AcceptablePause / 2;
        if (!(_now - peer.LifeLockAskedAt < wait))
        {
            AskJournal(target, peer);
        }
    }

    private void OnAccusation(Accusation accusation, long from)
    {
        if (accusation.Target == _self)
        {
            if (accusation.Refutation >= Own.Refutation)
            {
                SetOwn(Own with { Refutation = accusation.Refutation + 1 });
            }

            return;
        }

        if (accusation.Observer == _self || Find(accusation.Target) is not { } target || MemberMerge.IsFinal(target.State) ||
            (accusation.Kind == AccusationKind.Silent && accusation.Refutation < target.Refutation))
        {
            return;
        }

        bool firstDoubt = _accusations.Against(accusation.Target).Count == 0;
        if (_accusations.Add(accusation, _now))
        {
            _news.Add(accusation);
            _newestDoubtAt = firstDoubt ? _now : _newestDoubtAt;
        }
        else if (from != accusation.Observer)
        {
            return;
        }

        // The observer says it, for the first time or again: see for oneself.
        _accusations.Renew(accusation.Target, accusation.Observer, _now);
        Peer peer = _peers[accusation.Target];
        if (accusation.Kind == AccusationKind.Silent && peer.Watched && peer.Silence(_now) >= _options.AcceptablePause / 2)
        {
            Accuse(target, AccusationKind.Silent);
            AccuseAllSilent();
        }
        else if (_accusations.Find(accusation.Target, _self) is not { Kind: AccusationKind.Crashed })
        {
            Probe(target);
        }
    }

    /// <summary>
    /// Another one finds silent what is silent here: so it is not only this node's trouble, whatever its self-doubt says. It names all that
    /// are silent, for the others have to see how many.
    /// </summary>
    private void AccuseAllSilent()
    {
        foreach ((long life, Peer peer) in _peers.ToArray())
        {
            if (peer.Watched && peer.Silence(_now) >= _options.AcceptablePause)
            {
                Accuse(Find(life)!, AccusationKind.Silent);
            }
        }
    }

    private void Accuse(MemberRecord target, AccusationKind kind)
    {
        bool firstDoubt = _accusations.Against(target.Incarnation).Count == 0;
        Accusation accusation = new(target.Incarnation, _self, kind, target.Refutation);
        if (!_accusations.Add(accusation, _now))
        {
            return;
        }

        _newestDoubtAt = firstDoubt ? _now : _newestDoubtAt;
        _news.Add(accusation);
        if (target.State < MemberState.Suspect)
        {
            Learn([target with { State = MemberState.Suspect }], "");
        }

        Announce(Find(target.Incarnation)!);
        _urgentAccusations.Add(accusation);
        Peer peer = _peers[target.Incarnation];
        if (!peer.LifeLockFree && !(_now - peer.LifeLockAskedAt < _options.HeartbeatInterval / 2))
        {
            AskJournal(target, peer);
        }
    }

    private void ConfirmLost()
    {
        foreach (long life in _accusations.Targets)
        {
            if (Find(life) is { } target && Verdict(target) is { } evidence)
            {
                bool witness = _accusations.Find(life, _self) is not null || _peers[life].LifeLockFree;
                Learn([target with { State = MemberState.Down }], evidence);
                if (witness)
                {
                    Announce(Find(life)!);
                }
            }
        }
    }

    /// <summary>The evidence when it is enough to call a member down, or null.</summary>
    private string? Verdict(MemberRecord target)
    {
        Peer peer = _peers[target.Incarnation];
        Accusation[] standing = [.. _accusations.Against(target.Incarnation).Where(accusation =>
            accusation.Observer == _self || (Find(accusation.Observer) is { } observer && !MemberMerge.IsFinal(observer.State)))];
        if (standing.Length == 0)
        {
            return null;
        }

        string observers = string.Join(", ", standing.Select(accusation =>
            $"{(accusation.Observer == _self ? "this node" : NameOf(accusation.Observer))}: {(accusation.Kind == AccusationKind.Crashed ? "connection ended and refused" : "silent")}"));
        if (peer.LifeLockFree)
        {
            return $"{observers}, journal: life lock free";
        }

        if (standing.Count(accusation => accusation.Kind == AccusationKind.Crashed) >= 2)
        {
            return observers;
        }

        if (Others().Count() == 1)
        {
            return _accusations.Find(target.Incarnation, _self) is not null && peer.Silence(_now) >= Pause * AloneFactor
                ? $"{observers}, no other member to ask"
                : null;
        }

        return standing.Length >= 2 && MayConfirmSilence() ? observers : null;
    }

    /// <summary>
    /// Silence looks the same from both sides of a cut. So it is confirmed only on the side that reaches more than half of the members, or
    /// half with the oldest of them: else each side would call the other down, and all would be down when they meet again. To know its
    /// side it waits a tick for other doubts, and where there are several, half a pause for the answers to fresh connections.
    /// </summary>
    private bool MayConfirmSilence()
    {
        bool several = _accusations.Targets.Count > 1 || _peers.Count(entry => entry.Value.Silence(_now) >= _options.AcceptablePause / 2) > 1;
        if (_now - _newestDoubtAt < (several ? _options.AcceptablePause : _options.HeartbeatInterval) / 2)
        {
            return false;
        }

        MemberRecord[] present = [.. _members.Where(member => !MemberMerge.IsFinal(member.State))];
        int reached = present.Count(Reaches);
        return reached * 2 > present.Length || (reached * 2 == present.Length && Reaches(present[0]));
    }

    private bool Reaches(MemberRecord member)
    {
        if (member.Incarnation == _self)
        {
            return !MemberMerge.IsFinal(member.State);
        }

        if (MemberMerge.IsFinal(member.State) || _accusations.Find(member.Incarnation, _self) is not null)
        {
            return false;
        }

        Peer peer = _peers[member.Incarnation];
        bool doubted = member.State == MemberState.Suspect || peer.ProbeUnanswered || _accusations.Against(member.Incarnation).Count > 0;
        return !doubted || _now - peer.LastHeardAt < _options.AcceptablePause / 2;
    }
}
