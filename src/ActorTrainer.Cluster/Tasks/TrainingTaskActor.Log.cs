using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <content>Its log messages.</content>
internal sealed partial class TrainingTaskActor
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "task {Task} could not be recovered: {Problem}")]
    private static partial void LogRecoveryFailed(ILogger logger, TaskId task, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "task {Task} is held: a decision about it failed")]
    private static partial void LogFault(ILogger logger, TaskId task, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "task {Task} is left as it is: {Problem}")]
    private static partial void LogUnreadable(ILogger logger, TaskId task, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "task {Task}: event {Sequence} was not taken by the journal (another owner, or the journal is away); {Problem}"
    )]
    private static partial void LogNotPersisted(ILogger logger, TaskId task, long sequence, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "task {Task} has been recovered by another owner, as its row says; its worker is stopped here"
    )]
    private static partial void LogRecoveredElsewhere(ILogger logger, TaskId task);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "task {Task} goes on with the run that waited for the journal; {Count} things happened meanwhile"
    )]
    private static partial void LogAdopted(ILogger logger, TaskId task, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "task {Task} is archived, and not all of it could be deleted yet: {Problem}")]
    private static partial void LogNotArchived(ILogger logger, TaskId task, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "task {Task}: no snapshot was kept: {Problem}")]
    private static partial void LogNoSnapshot(ILogger logger, TaskId task, string problem);
}
