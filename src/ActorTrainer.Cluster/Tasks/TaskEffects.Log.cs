using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <content>Its log messages.</content>
internal sealed partial class TaskEffects
{
    [LoggerMessage(Level = LogLevel.Error, Message = "task {Task}: checkpoint {Checkpoint} is damaged: {Problem}")]
    private static partial void LogDamaged(ILogger logger, TaskId task, string checkpoint, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "task {Task}: a checkpoint could not be {Verb}: {Problem}")]
    private static partial void LogStoreFailed(ILogger logger, TaskId task, string verb, string problem);
}
