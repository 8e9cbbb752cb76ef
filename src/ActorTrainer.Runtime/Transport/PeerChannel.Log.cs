using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

public sealed partial class PeerChannel
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "a message to {Peer} was lost: {Reason}")]
    private static partial void LogLost(ILogger logger, NodeAddress peer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "a message of {Peer} could not be handled")]
    private static partial void LogReceiverFailed(ILogger logger, NodeAddress peer, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} messages to {Peer} were lost: {Reason}")]
    private static partial void LogUnreachable(ILogger logger, NodeAddress peer, int count, string reason);
}
