using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Core.Nodes;

/// <summary>
/// The coordinator's lease as this node sees it: keeps it, or takes it when nobody has beaten for long enough by this node's own
/// clock. The journal decides between two that try.
/// </summary>
internal sealed class LeaseKeeper(NodeContext context)
{
    private static readonly TimeSpan RankDelay = TimeSpan.FromMilliseconds(200);

    private LeaseRow _seen = new(0, 0, -1);
    private TimeSpan _seenAt;
    private TimeSpan _beatAt;
    private TimeSpan _notBefore;
    private bool _asking;
    private long _lookedAt;
    private bool _holderGone;

    /// <summary>The lease term while this node holds the lease; 0 otherwise.</summary>
    public long Term => _seen.Holder == context.Self ? _seen.Term : 0;

    /// <summary>When this node took the lease.</summary>
    public TimeSpan HeldSince { get; private set; }

    /// <summary>The holder's life, or 0.</summary>
    public long Holder => _seen.Holder;

    public void OnRows(LeaseRow lease)
    {
        if (lease.Beat > _seen.Beat)
        {
            See(lease);
        }
    }

    public void OnLifeLock(LifeLockSeen seen)
    {
        if (seen.Free == true && seen.Incarnation == _seen.Holder)
        {
            _holderGone = true;
            Tick();
        }
    }

    public void Tick()
    {
        if (_asking || context.Rows.Version < 0 || context.Ended)
        {
            return;
        }

        if (Term > 0)
        {
            Keep();
            return;
        }

        if (context.Row(context.Self) is not { Status: MemberStatus.Up } || context.Now < _notBefore)
        {
            return;
        }

        if (_seen.Holder != 0 && _lookedAt != _seen.Holder &&
            (context.Row(_seen.Holder) is not { } row || !context.IsAlive(row)))
        {
            _lookedAt = _seen.Holder;
            context.Do(new LookAtLifeLock(_seen.Holder));
        }

        TimeSpan wait = _holderGone ? TimeSpan.Zero
            : (_seen.Holder == 0 ? TimeSpan.Zero : context.Model.Sharding.LeaseTimeout) + (Rank() * RankDelay);
        if (context.Now - _seenAt >= wait)
        {
            Send(new TakeRequest(context.Self, _seen.Beat));
        }
    }

    public void Resign()
    {
        if (Term > 0)
        {
            Send(new ResignRequest(context.Self, Term));
        }
    }

    private void Keep()
    {
        if (context.Model.Sharding.LeaseMajority && !ReachesMajority())
        {
            context.Say("gives the lease back: it reaches less than half of the members", NoticeLevel.Warning);
            _notBefore = context.Now + (2 * context.Model.Sharding.LeaseTimeout);
            Resign();
        }
        else if (context.Now - _beatAt >= context.Model.Sharding.LeaseBeat)
        {
            Send(new BeatRequest(context.Self, Term));
        }
    }

    private void Send(JournalRequest request)
    {
        _asking = true;
        _beatAt = context.Now;
        context.Ask(request, reply =>
        {
            _asking = false;
            if (reply is LeaseReply answer)
            {
                bool mine = Term > 0;
                See(answer.Lease);
                if (Term > 0 && !mine)
                {
                    HeldSince = context.Now;
                    context.Say($"holds the lease, term {Term}");
                }
            }
        });
    }

    private void See(LeaseRow lease)
    {
        _holderGone &= lease.Holder == _seen.Holder;
        _seen = lease;
        _seenAt = context.Now;
    }

    /// <summary>Half of the members that nobody has given up; with two or fewer the lease alone decides.</summary>
    private bool ReachesMajority()
    {
        int members = 0;
        int reached = 0;
        foreach (MemberRow member in context.Rows.Members)
        {
            if (member.Status == MemberStatus.Up && context.IsAlive(member))
            {
                members++;
                reached += member.Incarnation == context.Self || context.View.Reachable.Contains(member.Incarnation) ? 1 : 0;
            }
        }

        return members <= 2 || reached * 2 >= members;
    }

    private int Rank()
    {
        int rank = 0;
        foreach (MemberRow member in context.Rows.Members)
        {
            if (member.Incarnation < context.Self && member.Status == MemberStatus.Up && context.IsAlive(member))
            {
                rank++;
            }
        }

        return rank;
    }
}
