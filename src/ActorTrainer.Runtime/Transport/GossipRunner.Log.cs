using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

public sealed partial class GossipRunner
{
    [LoggerMessage(Level = LogLevel.Error, Message = "gossip failed; this life ends")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "gossip was overrun and lost {Count} inputs")]
    private static partial void LogOverrun(ILogger logger, long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} (life {Incarnation}) is down; last heard of {Silence:F0} ms ago; {Evidence}")]
    private static partial void LogLost(ILogger logger, string name, long incarnation, double silence, string evidence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} refused this node: {Reason}")]
    private static partial void LogRefused(ILogger logger, NodeAddress address, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "the journal could not say whether life {Incarnation} goes on")]
    private static partial void LogLifeLockUnknown(ILogger logger, long incarnation, Exception exception);
}
