using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Messages;

/// <summary>Everything of ActorTrainer that Akka writes or sends; bound to <see cref="ActorTrainerSerializer"/>.</summary>
internal interface IActorTrainerMessage;

/// <summary>An event as it stands in the journal.</summary>
/// <param name="Term">The term it was written under.</param>
/// <param name="Event">The event.</param>
/// <param name="At">When it was written, by the writing node's clock.</param>
internal sealed record JournaledEvent(long Term, TaskEvent Event, DateTimeOffset At) : IActorTrainerMessage;

/// <summary>A folded state that shortens replay. <see cref="Tasks.SnapshotVersions"/> says which fold versions are read.</summary>
internal sealed record FoldedTask(int FoldVersion, TaskState State, TaskTimes Times) : IActorTrainerMessage;

/// <summary>Starts a task's actor, wherever its shard is: an unfinished task has one at all times. Not answered.</summary>
internal sealed record WakeTask(TaskId Task) : IActorTrainerMessage;

/// <summary>Asks a node to get a worker ready for a task that is about to come; answered by <see cref="TaskWarmed"/>.</summary>
internal sealed record WarmTask(TaskId Task) : IActorTrainerMessage;

/// <summary>As much as can be done before the task comes is done.</summary>
internal sealed record TaskWarmed(TaskId Task) : IActorTrainerMessage;

/// <summary>A command for a task, sent to the shard region.</summary>
internal sealed record TaskRequest(TaskId Task, TaskCommand Command) : IActorTrainerMessage;

/// <summary>The answer of a task or a node.</summary>
/// <param name="Reply">The answer.</param>
/// <param name="Sequence">The sequence of the task's last event at that moment; 0 for a node.</param>
internal sealed record TaskAnswer(CommandReply Reply, long Sequence) : IActorTrainerMessage;

/// <summary>A command for the receiving node itself; answered by <see cref="TaskAnswer"/>.</summary>
internal sealed record NodeRequest(NodeCommandKind Kind) : IActorTrainerMessage;

/// <summary>Asks whoever coordinates to move a shard to a life. Sent to every node, since any may become the coordinator.</summary>
internal sealed record MoveShard(int Shard, long To) : IActorTrainerMessage;

/// <summary>A member that the asking node does not hear.</summary>
/// <param name="Address">Where its system is.</param>
/// <param name="Uid">Which of the systems at that address.</param>
internal sealed record SilentMember(string Address, long Uid);

/// <summary>Asks a member which of these it does not hear either.</summary>
internal sealed record SilenceQuestion(IReadOnlyList<SilentMember> Members) : IActorTrainerMessage;

/// <summary>The answer of the member at this address.</summary>
internal sealed record SilenceAnswer(string Address, long Uid, IReadOnlyList<SilentMember> Silent) : IActorTrainerMessage;

/// <summary>Asks a member whether it reaches the journal.</summary>
internal sealed record JournalQuestion : IActorTrainerMessage
{
    public static JournalQuestion Instance { get; } = new();
}

/// <summary>The answer of the member at this address.</summary>
internal sealed record JournalAnswer(string Address, long Uid, bool Reaches) : IActorTrainerMessage;

/// <summary>Stands for what was read and is not understood: written by a newer version, or damaged. Never written itself.</summary>
/// <param name="Manifest">The manifest found.</param>
/// <param name="Reason">One sentence for the user.</param>
internal sealed record Unreadable(string Manifest, string Reason) : IActorTrainerMessage;
