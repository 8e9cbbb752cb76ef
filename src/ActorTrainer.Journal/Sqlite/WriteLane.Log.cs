using Microsoft.Extensions.Logging;

namespace ActorTrainer.Journal.Sqlite;

internal sealed partial class WriteLane
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Killed the process {Pid} (incarnation {Incarnation}): it is confirmed down and held the journal's write lock ({Outcome}).")]
    private partial void LogHolderKilled(int pid, long incarnation, string outcome);

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal failed for {Count} requests: {Reason}")]
    private partial void LogBatchFailed(Exception? exception, int count, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal refused a {Request}.")]
    private partial void LogRequestFailed(Exception exception, string request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A checkpoint of the journal's WAL failed: {Reason}")]
    private partial void LogCheckpointFailed(Exception exception, string reason);
}
