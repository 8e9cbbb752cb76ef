using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <content>Its log messages.</content>
internal sealed partial class CheckpointScrubber
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "checkpoint {Checkpoint} of {Task} was read back ({Bytes} bytes) and is whole")]
    private static partial void LogWhole(ILogger logger, TaskId task, string checkpoint, long bytes);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "checkpoint {Checkpoint} of {Task} was read back and is damaged: {Reason} Look at the disk; its files stay as they are, "
            + "and no save shares them."
    )]
    private static partial void LogDamaged(ILogger logger, TaskId task, string checkpoint, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "the copy of checkpoint {Checkpoint} of {Task} that this node keeps was read back and is damaged: {Reason} It is taken "
            + "again from a node that has it whole. Look at the disk."
    )]
    private static partial void LogCopyDamaged(ILogger logger, TaskId task, string checkpoint, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "checkpoint {Checkpoint} of {Task} could not be read back now: {Reason}")]
    private static partial void LogUnread(ILogger logger, TaskId task, string checkpoint, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "checkpoints are not read back now: {Reason}")]
    private static partial void LogNoPass(ILogger logger, string reason);
}
