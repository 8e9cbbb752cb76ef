using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <content>Its log messages.</content>
internal sealed partial class ObserverCalls
{
    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "the observer {Observer} failed on {Change} of {Node}; it is told what comes next all the same"
    )]
    private static partial void LogFailed(ILogger logger, Exception exception, string observer, ClusterChangeKind change, string node);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "an observer of the cluster is not done {Limit} after the node's end; it is cancelled and not waited for"
    )]
    private static partial void LogSlow(ILogger logger, TimeSpan limit);
}
