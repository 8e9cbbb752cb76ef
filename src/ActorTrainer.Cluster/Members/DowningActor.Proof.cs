using ActorTrainer.Core.Membership;
using Akka.Actor;
using AkkaStatus = Akka.Cluster.MemberStatus;
using RowStatus = ActorTrainer.Core.Membership.MemberStatus;

namespace ActorTrainer.Cluster.Members;

/// <content>Who is suspected, and how it is proven that its process is gone: its lock is free.</content>
internal sealed partial class DowningActor
{
    private void Suspect(Address address)
    {
        if (
            _cluster.State.Members.FirstOrDefault(m => m.Address.Equals(address) && m.Status is not AkkaStatus.Down) is { } member
            && GossipStates.KeyOf(member) is var key
            && key != _self
            && !_downed.Contains(key)
        )
        {
            _suspects.Add(key, _time.Clock);
            _nextProof = ProofFirst;
            Ask();
        }
    }

    private void Forget(MemberKey member)
    {
        _suspects.Remove(member);
        _dead.Remove(member);
        _downed.Remove(member);
        _silentFor.Remove(member);
        Decide();
    }

    /// <summary>Asks for the locks of those that are suspected. The database may take its time, so it is not waited for here.</summary>
    private void Ask()
    {
        if (_asking || !_suspects.Any)
        {
            return;
        }

        IReadOnlyList<MemberKey> left = _suspects.Left(_time.Clock);
        if (_record is null || Distrusts())
        {
            Context.System.EventStream.Publish(RowsWanted.Instance);
            AskAgain();
            return;
        }

        TimeSpan now = _time.Now;
        List<(MemberKey, long, TimeSpan)> lives = [];
        foreach (MemberKey key in left)
        {
            // A life that has left in order takes its system, which may be its host's, with it.
            if (Find(key) is { Member: { } member } && member.Status != RowStatus.Removed)
            {
                lives.Add((key, member.Incarnation, now - _beats.MovedAt(member.Incarnation) ?? TimeSpan.Zero));
            }
        }

        if (lives.Count == 0)
        {
            AskAgain();
            return;
        }

        _asking = true;
        Task.Run(() => _suspects.FindDeadAsync(lives, _stopping.Token), _stopping.Token)
            .PipeTo(Self, success: dead => new Dead(dead), failure: _ => new Dead([]));
    }

    private void OnDead(Dead found)
    {
        _asking = false;
        foreach (MemberKey member in found.Members)
        {
            _suspects.Remove(member);
            if (!_downed.Contains(member) && _dead.Add(member))
            {
                LogCrashed(_logger, member.Address);
            }
        }

        if (_suspects.Any)
        {
            AskAgain();
        }

        Decide();
    }

    /// <summary>Soon at first, then less often: a member that only is silent keeps its lock.</summary>
    private void AskAgain()
    {
        Timers.StartSingleTimer(nameof(ProofDue), ProofDue.Instance, _nextProof);
        _nextProof = TimeSpan.FromTicks(Math.Min(ProofEvery.Ticks, _nextProof.Ticks * 3 / 2));
    }
}
