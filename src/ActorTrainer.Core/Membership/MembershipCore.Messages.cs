using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

// Messages: what is sent, what is learned.
public sealed partial class MembershipCore
{
    // Pings sent for others, by their number; and indirect pings of one's own. Entries that got no answer are dropped after a while.
    private readonly SortedDictionary<long, (long For, long Number, long Target, TimeSpan At)> _relayed = [];
    private readonly SortedDictionary<long, (long Target, TimeSpan At)> _asked = [];

    // What this step tells everyone.
    private readonly SortedDictionary<long, MemberRecord> _urgentRecords = [];
    private readonly List<Accusation> _urgentAccusations = [];
    private long _number;

    private void OnReceived(long from, GossipMessage message)
    {
        if (from == _self || TellFinal(from, message))
        {
            return;
        }

        Learn(message.Records, $"reported down by {NameOf(from)}");
        if (Over || Find(from) is not { } sender || !_peers.TryGetValue(from, out Peer? peer))
        {
            return;
        }

        // One that has just said that it goes is not heard of again.
        if (!MemberMerge.IsFinal(sender.State))
        {
            HeardOf(sender, peer);
        }

        foreach (Accusation accusation in message.Accusations)
        {
            OnAccusation(accusation, from);
        }

        switch (message)
        {
            case PingMessage ping:
                Send(sender, new AckMessage(ping.Number));
                break;
            case AckMessage ack:
                OnAck(ack, peer);
                break;
            case IndirectPingMessage indirect:
                Relay(from, indirect);
                break;
            case IndirectAckMessage indirect:
                OnIndirectAck(indirect);
                break;
            case SyncMessage sync:
                if (sync.Reply)
                {
                    SendSync(from, sender.Address, reply: false);
                }

                if (sync.Joined)
                {
                    Joined();
                }
                else
                {
                    _seeds.Waits(sender.Address);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>A life that is final here and still speaks does not know it: it is told, and otherwise ignored.</summary>
    private bool TellFinal(long from, GossipMessage message)
    {
        MemberRecord? final = Find(from);
        if (final is null && _forgotten.Contains(from))
        {
            final = message.Records.FirstOrDefault(record => record.Incarnation == from) is { } own
                ? own with { State = MemberState.Down }
                : null;
            if (final is null)
            {
                return true;
            }
        }

        if (final is null || !MemberMerge.IsFinal(final.State))
        {
            return false;
        }

        Peer? peer = _peers.GetValueOrDefault(from);
        if (final.State == MemberState.Down && !(_now - peer?.ToldAt < _options.HeartbeatInterval))
        {
            if (peer is not null)
            {
                peer.ToldAt = _now;
            }

            // Together with whoever took its place, if that is why.
            MemberRecord[] records = [final, .. _members.Where(member => member.Address == final.Address && member.Incarnation > from)];
            _effects.Add(new SendGossip(from, final.Address, new NewsMessage { Records = records }));
        }

        return true;
    }

    private void HeardOf(MemberRecord sender, Peer peer)
    {
        peer.Heard(_now);
        if (_accusations.Remove(sender.Incarnation, _self) && sender.State == MemberState.Suspect)
        {
            // It hears that it is suspected, and refutes, with the next message; see Send.
            _news.Add(sender);
        }
    }

    private void OnAck(AckMessage ack, Peer peer)
    {
        peer.Acknowledged(_now);
        if (_relayed.Remove(ack.Number, out (long For, long Number, long Target, TimeSpan At) relayed) && Find(relayed.For) is { } asker)
        {
            Send(asker, new IndirectAckMessage(relayed.Number, relayed.Target));
        }
    }

    private void Relay(long from, IndirectPingMessage indirect)
    {
        if (Find(indirect.Target) is { } target && target.Incarnation != _self && !MemberMerge.IsFinal(target.State))
        {
            _relayed[++_number] = (from, indirect.Number, indirect.Target, _now);
            Send(target, new PingMessage(_number));
        }
    }

    private void OnIndirectAck(IndirectAckMessage indirect)
    {
        if (_asked.Remove(indirect.Number, out (long Target, TimeSpan At) asked) && _peers.TryGetValue(asked.Target, out Peer? peer) &&
            peer.UnansweredSince < asked.At)
        {
            // It lived after it was asked for; how long after cannot be known.
            peer.UnansweredSince = asked.At;
        }
    }

    private void Heartbeat()
    {
        int silent = 0;
        int watched = 0;
        foreach ((long life, Peer peer) in _peers)
        {
            if (peer.Watched)
            {
                watched++;
                silent += peer.Silence(_now) > _options.HeartbeatInterval * 2 ? 1 : 0;
                peer.UnansweredSince ??= _now;
                Send(Find(life)!, new PingMessage(++_number));
            }
        }

        // One silent peer is that peer's trouble; most of them at once are probably mine.
        if (silent >= 2 && silent * 2 > watched)
        {
            _health.Doubt();
        }
        else
        {
            _health.Recover();
        }

        TimeSpan old = _now - (_options.ProbeTimeout * 4);
        foreach (long number in _relayed.Where(entry => entry.Value.At < old).Select(entry => entry.Key).ToArray())
        {
            _relayed.Remove(number);
        }

        foreach (long number in _asked.Where(entry => entry.Value.At < old).Select(entry => entry.Key).ToArray())
        {
            _asked.Remove(number);
        }
    }

    private void SyncWithSomeone()
    {
        MemberRecord[] others = [.. Others()];
        if (others.Length > 0)
        {
            MemberRecord chosen = others[_random.Next(others.Length)];
            SendSync(chosen.Incarnation, chosen.Address, reply: true);
        }
    }

    private void SendSync(long to, NodeAddress address, bool reply) =>
        _effects.Add(new SendGossip(
            to,
            address,
            // Only its own accusations: what all repeat of each other would never lapse.
            new SyncMessage(reply) { Records = _members, Accusations = _accusations.By(_self), Joined = _joined }));

    private void Send(MemberRecord to, GossipMessage message)
    {
        (IReadOnlyList<MemberRecord> records, IReadOnlyList<Accusation> accusations) = _news.Take(_members.Count);
        if (to.State == MemberState.Suspect && !records.Contains(to))
        {
            records = [.. records, to];
        }

        _effects.Add(new SendGossip(to.Incarnation, to.Address, message with { Records = records, Accusations = accusations }));
    }

    /// <summary>
    /// Sends news to everyone, the accused included: it must hear of it to refute it. One message for all news of a step, so that whoever
    /// receives it sees at once how many are accused; see MayConfirmSilence.
    /// </summary>
    private void Broadcast()
    {
        if (_urgentRecords.Count + _urgentAccusations.Count == 0)
        {
            return;
        }

        NewsMessage news = new() { Records = [.. _urgentRecords.Values], Accusations = [.. _urgentAccusations] };
        _urgentRecords.Clear();
        _urgentAccusations.Clear();
        foreach (MemberRecord other in Others())
        {
            _effects.Add(new SendGossip(other.Incarnation, other.Address, news));
        }
    }

    private void Announce(MemberRecord record) => _urgentRecords[record.Incarnation] = record;

    private void Learn(IReadOnlyList<MemberRecord> records, string source)
    {
        List<MemberRecord> relevant = [];
        foreach (MemberRecord record in records)
        {
            if (record.Incarnation == _self)
            {
                LearnOfSelf(record);
            }
            else if (!_forgotten.Contains(record.Incarnation) &&
                (Find(record.Incarnation) is not { } known || MemberMerge.Join(known, record) != known))
            {
                relevant.Add(record);
            }
        }

        if (relevant.Count == 0)
        {
            return;
        }

        IReadOnlyList<MemberRecord> before = _members;
        _members = MemberMerge.Merge(before, relevant);
        foreach (MemberRecord record in _members)
        {
            MemberRecord? known = MemberMerge.Find(before, record.Incarnation);
            if (record != known)
            {
                Changed(known, record, source);
            }
        }
    }

    private void Changed(MemberRecord? known, MemberRecord record, string source)
    {
        _news.Add(record);
        if (record.Incarnation != _self && !_peers.ContainsKey(record.Incarnation))
        {
            _peers[record.Incarnation] = new Peer(_now, new MembershipModelTimes(_options.HeartbeatInterval, _options.AcceptablePause));
        }

        if (MemberMerge.IsFinal(record.State))
        {
            Ended(known, record, source);
        }
        else
        {
            _accusations.Refuted(record.Incarnation, record.Refutation);
        }
    }

    private void Ended(MemberRecord? known, MemberRecord record, string source)
    {
        _accusations.RemoveTarget(record.Incarnation);
        _news.DropAccusations(record.Incarnation);
        if (record.Incarnation == _self)
        {
            // A newer life at this address.
            _joined = true;
            return;
        }

        Peer peer = _peers[record.Incarnation];
        peer.Watched = false;
        Disconnect(peer, record);
        _finalSince.TryAdd(record.Incarnation, _now);
        if (record.State == MemberState.Down && known is not null && !MemberMerge.IsFinal(known.State))
        {
            MemberRecord? successor = _members.FirstOrDefault(member => member.Address == record.Address && member.Incarnation > record.Incarnation);
            string evidence = successor is null ? source : $"{source}; {NameOf(successor.Incarnation)} took its address";
            _effects.Add(new MemberLost(record.Incarnation, _now - peer.LastHeardAt, evidence));
        }
    }

    private void LearnOfSelf(MemberRecord rumour)
    {
        MemberRecord own = Own;
        if (MemberMerge.IsFinal(own.State))
        {
            return;
        }

        if (MemberMerge.IsFinal(rumour.State))
        {
            // Final for this life. The node fences itself; what becomes of it is decided there.
            _joined = true;
            _members = [.. _members.Select(member => member.Incarnation == _self ? own with { State = rumour.State } : member)];
        }
        else if (rumour.Refutation > own.Refutation || (rumour.Refutation == own.Refutation && rumour.State == MemberState.Suspect))
        {
            SetOwn(own with { Refutation = rumour.Refutation + 1 });
        }
    }
}
