using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using Akka.Actor;

namespace ActorTrainer.Cluster;

/// <summary>What other nodes ask of this node itself: cordon, drain, and moves, should it coordinate.</summary>
internal sealed class NodeActor : ReceiveActor
{
    /// <summary>Its name below <c>/user</c>, the same on every node.</summary>
    public const string Name = "actortrainer-node";

    /// <param name="execute">Does what is asked of the node.</param>
    /// <param name="planner">Takes requests for moves.</param>
    public NodeActor(Func<NodeCommandKind, Task<CommandReply>> execute, ShardPlanner planner)
    {
        ReceiveAsync<NodeRequest>(async request => Sender.Tell(new TaskAnswer(await execute(request.Kind), 0)));
        Receive<MoveShard>(move => planner.Request(new MoveRequest(move.Shard, move.To)));
        Receive<Unreadable>(unreadable => Sender.Tell(new TaskAnswer(new CommandRefused(unreadable.Reason), 0)));
    }
}
