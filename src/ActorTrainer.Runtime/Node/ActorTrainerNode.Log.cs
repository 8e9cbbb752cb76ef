using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <content>Its log messages.</content>
public sealed partial class ActorTrainerNode
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "the checkpoint code was not warmed up: {Reason}")]
    private static partial void LogNoWarmUp(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "no checkpoint can be kept: {Reason}")]
    private static partial void LogStoreAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void LogStoreProblem(ILogger logger, string text);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Text}")]
    private static partial void LogStoreNews(ILogger logger, string text);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "security.allow-anonymous-loopback is on: every user of this machine may run commands as the user of this node"
    )]
    private static partial void LogAnonymous(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "the node did not leave in time; what was not handed over goes on from its last checkpoint"
    )]
    private static partial void LogStopLate(ILogger logger);
}
