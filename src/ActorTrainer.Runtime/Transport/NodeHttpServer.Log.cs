using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

internal sealed partial class NodeHttpServer
{
    [LoggerMessage(Level = LogLevel.Information, Message = "listening on {Address}, process {Process}")]
    private static partial void LogListening(ILogger logger, NodeAddress address, int process);
}
