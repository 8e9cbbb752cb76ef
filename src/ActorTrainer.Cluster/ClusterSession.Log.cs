using Microsoft.Extensions.Logging;
using MemberStatus = ActorTrainer.Core.Membership.MemberStatus;

namespace ActorTrainer.Cluster;

/// <content>Its log messages.</content>
internal sealed partial class ClusterSession
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Node} (life {Incarnation}) is in the cluster's actor system {Address}")]
    private static partial void LogBegun(ILogger logger, string node, long incarnation, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Node} (life {Incarnation}) leaves: saves its tasks and hands them over")]
    private static partial void LogLeaving(ILogger logger, string node, long incarnation);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "node {Node} has not said in time that it is ready for task {Task}; the task moves all the same"
    )]
    private static partial void LogNotWarm(ILogger logger, Core.Identity.TaskId task, Core.Identity.NodeAddress node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the tasks on record cannot be read now, what is known of them stays: {Problem}")]
    private static partial void LogRowsNotRead(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the status {Status} could not be written down: {Problem}")]
    private static partial void LogStatusNotWritten(ILogger logger, MemberStatus status, string problem);
}
