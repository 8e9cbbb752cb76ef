using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Engines;

/// <content>Its log messages.</content>
internal sealed partial class NodeLife
{
    [LoggerMessage(Message = "{Node} (life {Incarnation}): {Text}")]
    private static partial void LogNotice(ILogger logger, LogLevel level, string node, long incarnation, string text);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Node} (life {Incarnation}) ends: {Reason}")]
    private static partial void LogEnd(ILogger logger, string node, long incarnation, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the journal did not take {Request}: {Reason}")]
    private static partial void LogJournalFailed(ILogger logger, string request, string reason);
}
