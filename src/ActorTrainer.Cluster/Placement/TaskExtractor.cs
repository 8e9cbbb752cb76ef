using System.Globalization;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using Akka.Cluster.Sharding;

namespace ActorTrainer.Cluster.Placement;

/// <summary>Which task a message is for, and which shard a task is in: by Core's frozen hash.</summary>
internal sealed class TaskExtractor(int numberOfShards) : IMessageExtractor
{
    /// <inheritdoc />
    public string? EntityId(object message) =>
        message switch
        {
            TaskRequest request => request.Task.Value,
            WakeTask wake => wake.Task.Value,
            _ => null,
        };

    /// <inheritdoc />
    public object? EntityMessage(object message) => message;

    /// <inheritdoc />
    public string? ShardId(object message) => EntityId(message) is { } entity ? ShardOf(entity) : null;

    /// <inheritdoc />
    public string ShardId(string entityId, object? messageHint = null) => ShardOf(entityId);

    private string ShardOf(string entityId) =>
        ShardMap.ShardOf(TaskId.Parse(entityId), numberOfShards).ToString(CultureInfo.InvariantCulture);
}
