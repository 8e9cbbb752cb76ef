using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>How this node goes: save, hand over, leave; and its cordon.</summary>
internal sealed class Departure(NodeContext context, ShardHost host, Mover mover, LeaseKeeper lease)
{
    /// <summary>Time that is kept for saving where destinations do not get ready; of a shorter stay half.</summary>
    private static readonly TimeSpan TimeToSave = TimeSpan.FromSeconds(15);

    private TimeSpan? _until;
    private TimeSpan _saveFrom;
    private bool _announced;
    private bool _announcing;
    private bool _releasingAll;
    private bool _leaving;

    public void OnCommand(NodeCommandKind kind, Action<CommandReply> reply)
    {
        if (kind == NodeCommandKind.Drain)
        {
            Begin(context.Model.Sharding.DrainTimeout);
            reply(new CommandAccepted(default));
            return;
        }

        bool cordon = kind == NodeCommandKind.Cordon;
        context.Ask(new SetMemberRequest(context.Self, null, cordon, 0, 0), answer =>
        {
            if (answer is SetMemberReply { Accepted: true })
            {
                context.Do(new ChangeSelf(context.View.Find(context.Self)?.State ?? MemberState.Up, cordon));
                reply(new CommandAccepted(default));
            }
            else
            {
                reply(new CommandUnavailable(answer is JournalFailed failed ? failed.Reason : "the journal refused it: this node is leaving or lost"));
            }
        });
    }

    /// <summary>Begins to go; a second call can only shorten the time.</summary>
    public void Begin(TimeSpan within)
    {
        TimeSpan until = context.Now + within;
        if (_until is not TimeSpan before || until < before)
        {
            _until = until;
            _saveFrom = until - (within / 2 < TimeToSave ? within / 2 : TimeToSave);
        }

        if (!context.Draining)
        {
            context.Draining = true;
            context.Say("leaves: saves its tasks and hands them over");
        }

        Tick();
    }

    public void Tick()
    {
        if (_until is not TimeSpan until || context.Ended || _leaving)
        {
            return;
        }

        if (!_announced)
        {
            Announce();
        }

        bool empty = !host.Shards.Any() && context.Rows.Version >= 0 && context.Rows.Shards.All(s => s.Owner != context.Self);
        if (!empty && !_releasingAll && (context.Now >= _saveFrom || !context.Capacities().Any(n => n.Accepts)))
        {
            // Nobody takes over, or not soon enough: what is saved waits in the journal for whoever comes up next.
            _releasingAll = true;
            mover.ReleaseAll("node stops");
        }

        bool stopped = _releasingAll && host.Cells.All(c => c.Released || c.Entity.IsIdle);
        if ((empty && _announced) || (stopped && _announced) || context.Now >= until)
        {
            Leave(context.Now >= until && !empty && !stopped);
        }
    }

    private void Announce()
    {
        if (_announcing)
        {
            return;
        }

        _announcing = true;
        context.Do(new ChangeSelf(MemberState.Leaving, context.View.Find(context.Self)?.Cordoned ?? false));
        context.Ask(new SetMemberRequest(context.Self, MemberStatus.Leaving, null, 0, 0), reply =>
        {
            _announcing = false;
            _announced = reply is SetMemberReply;
        });
    }

    private void Leave(bool late)
    {
        _leaving = true;
        host.DropAll();
        lease.Resign();
        context.Ask(new SetMemberRequest(context.Self, MemberStatus.Removed, null, 0, 0), _ =>
        {
            context.Ended = true;
            context.Do(new ChangeSelf(MemberState.Removed, false));
            context.Do(new EndLife(LifeEnd.Left, late ? "its time to leave was over before everything was handed over; the rest goes on from the last checkpoints" : "has handed over everything"));
        });
    }
}
