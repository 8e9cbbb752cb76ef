using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Engines;

/// <content>Its log messages.</content>
internal sealed partial class LoopThread
{
    [LoggerMessage(Level = LogLevel.Error, Message = "the node's loop failed on {Input}; the node begins another life")]
    private static partial void LogStepFailed(ILogger logger, string input, Exception exception);
}
