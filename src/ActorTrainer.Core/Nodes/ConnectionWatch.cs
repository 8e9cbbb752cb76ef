using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Core.Nodes;

/// <summary>What it means for this node that it does not reach the journal, or the others, or both.</summary>
internal sealed class ConnectionWatch(NodeContext context, ShardHost host)
{
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(1);

    private TimeSpan _sayAt;
    private TimeSpan? _cutOffSince;

    /// <summary>
    /// Whether the workers have to stop now: a node that reaches neither the journal nor half of the members cannot know what it still
    /// owns. One that reaches members tells them that it cannot commit, so that its tasks go on elsewhere.
    /// </summary>
    public bool MustFence()
    {
        if (context.Now - context.JournalHeardAt >= context.Model.Sharding.JournalUnreachableAfter && context.Now >= _sayAt)
        {
            _sayAt = context.Now + SayEvery;
            context.TellAll(new JournalUnreachable(context.Self));
        }

        MemberRow[] present = [.. context.Rows.Members.Where(m => m.Status == MemberStatus.Up && context.IsAlive(m))];
        int reached = present.Count(m => m.Incarnation == context.Self || context.View.Reachable.Contains(m.Incarnation));
        bool journalAway = context.Now - context.JournalHeardAt > context.Model.Sharding.LeaseTimeout;
        if (!journalAway || present.Length <= 1 || reached * 2 >= present.Length)
        {
            _cutOffSince = null;
            return false;
        }

        _cutOffSince ??= context.Now;
        if (context.Now - _cutOffSince < context.Model.Sharding.SelfFenceAfter || !host.Shards.Any())
        {
            return false;
        }

        context.Say("reaches neither the journal nor half of the members: its workers are stopped", NoticeLevel.Warning);
        return true;
    }
}
