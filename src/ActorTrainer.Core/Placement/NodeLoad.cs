using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>A node with what is placed on it and on its way to it.</summary>
internal sealed class NodeLoad(long life)
{
    public long Life { get; } = life;

    public int Slots { get; private set; } = 1;

    public bool Accepts { get; private set; }

    public bool MustEmpty { get; private set; }

    /// <summary>Whether it is a member; a life that is gone is kept here until its shards have gone elsewhere.</summary>
    public bool IsMember { get; private set; }

    /// <summary>Slots that its tasks want, running or not: more than it has when some wait.</summary>
    public int Used { get; private set; }

    /// <summary>Tasks that need a node for themselves.</summary>
    public int Alone { get; private set; }

    public int Shards { get; private set; }

    /// <summary>Shards with tasks that want slots.</summary>
    public int Busy { get; private set; }

    /// <summary>Slots that nothing wants; negative when more is wanted than there is.</summary>
    public int Free => Slots - Used;

    /// <summary>Slots that one more task could have soon: none beside a task that runs alone.</summary>
    public int Room => Alone > 0 ? 0 : Free;

    /// <summary>The part of its slots that would be wanted after a change, 1 for all of them.</summary>
    public double Part(int change = 0) => (Used + change) / (double)Slots;

    public void Be(NodeCapacity? node)
    {
        IsMember = node is not null;
        Accepts = node is { Accepts: true, MustEmpty: false };
        MustEmpty = node is { MustEmpty: true };
        Slots = Math.Max(1, node?.Slots ?? Slots);
    }

    public void Add(ShardLoad load, int sign = 1)
    {
        Used += sign * load.Demand;
        Alone += sign * load.Alone;
        Shards += sign;
        Busy += load.Demand > 0 ? sign : 0;
    }

    public NodeLoad Copy() => (NodeLoad)MemberwiseClone();
}
