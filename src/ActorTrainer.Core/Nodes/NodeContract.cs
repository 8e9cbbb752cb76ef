using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>Something that happened to the node's loop.</summary>
public abstract record NodeInput;

/// <summary>Time went on; sent every 50 ms.</summary>
public sealed record NodeTick : NodeInput;

/// <summary>Gossip published another view.</summary>
public sealed record ViewChanged(MembershipView View) : NodeInput;

/// <summary>The journal answered the question of this number.</summary>
public sealed record JournalAnswered(long Question, JournalReply Reply) : NodeInput;

/// <summary>A client asks something of a task; answered by <see cref="AnswerClient"/>.</summary>
public sealed record ClientCommand(long Client, TaskId Task, TaskCommand Command) : NodeInput;

/// <summary>A client submits a task that was checked already.</summary>
public sealed record ClientSubmit(long Client, TaskSpec Spec, string SpecHash) : NodeInput;

/// <summary>A client cordons, uncordons or drains a node.</summary>
public sealed record ClientNodeCommand(long Client, NodeAddress Node, NodeCommandKind Kind) : NodeInput;

/// <summary>What can be asked of a node.</summary>
public enum NodeCommandKind
{
    /// <summary>Take no new tasks.</summary>
    Cordon,

    /// <summary>Take tasks again.</summary>
    Uncordon,

    /// <summary>Save, hand over, leave.</summary>
    Drain,
}

/// <summary>The process was asked to end: drain within this time.</summary>
public sealed record StopNode(TimeSpan Within) : NodeInput;

/// <summary>A message of another node.</summary>
public sealed record PeerMessage(NodeAddress From, NodeMessage Message) : NodeInput;

/// <summary>Something became of a task's effect.</summary>
public sealed record TaskHappened(TaskInput Input) : NodeInput;

/// <summary>What the journal says of a life lock.</summary>
public sealed record LifeLockSeen(long Incarnation, bool? Free) : NodeInput;

/// <summary>What the shell has to do for the loop.</summary>
public abstract record NodeEffect;

/// <summary>Ask the journal; answered by <see cref="JournalAnswered"/>.</summary>
public sealed record AskJournal(long Question, JournalRequest Request) : NodeEffect;

/// <summary>Send to another node; lost when it cannot be delivered.</summary>
public sealed record TellPeer(NodeAddress To, NodeMessage Message) : NodeEffect;

/// <summary>Answer a client.</summary>
public sealed record AnswerClient(long Client, CommandReply Reply) : NodeEffect;

/// <summary>Start a piece of I/O of a task.</summary>
public sealed record StartTaskEffect(TaskEffect Effect) : NodeEffect;

/// <summary>Look at a life lock; answered by <see cref="LifeLockSeen"/>.</summary>
public sealed record LookAtLifeLock(long Incarnation) : NodeEffect;

/// <summary>Tell gossip what this node is now.</summary>
public sealed record ChangeSelf(MemberState State, bool Cordoned) : NodeEffect;

/// <summary>Tell gossip what the journal says of another life.</summary>
public sealed record DeclareMember(long Incarnation, MemberState State) : NodeEffect;

/// <summary>Hand the rows to whoever reads them.</summary>
public sealed record PublishRows(ClusterRows Rows) : NodeEffect;

/// <summary>Something that an operator wants to read in the log.</summary>
public sealed record Notice(NoticeLevel Level, string Text) : NodeEffect;

/// <summary>How loud a notice is.</summary>
public enum NoticeLevel
{
    /// <summary>Normal life.</summary>
    Info,

    /// <summary>Worth a look.</summary>
    Warning,
}

/// <summary>The life of this node is over: end all workers at once.</summary>
public sealed record EndLife(LifeEnd End, string Reason) : NodeEffect;

/// <summary>How a life ends.</summary>
public enum LifeEnd
{
    /// <summary>Everything was handed over: the process ends.</summary>
    Left,

    /// <summary>The others count this life as lost: begin another one.</summary>
    Rejoin,

    /// <summary>The journal is not the one it was: a person has to look.</summary>
    Broken,
}
