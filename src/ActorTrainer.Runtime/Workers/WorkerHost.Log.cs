using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Workers;

internal sealed partial class WorkerHost
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} processes of a former life of this node were ended")]
    private partial void LogOrphans(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Workers that could not be ended are left behind")]
    private partial void LogNotAllEnded();

    [LoggerMessage(Level = LogLevel.Critical, Message = "The worker host met an error of its own")]
    private partial void LogLoopFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private partial void LogGuardUnusable(string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Guard {Pid} is lost: {Detail} Its {Runs} runs are ended")]
    private partial void LogGuardLost(int pid, string detail, int runs);

    [LoggerMessage(Level = LogLevel.Error, Message = "Guard {Pid} does not answer and is killed")]
    private partial void LogGuardSilent(int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {Run} was started twice; the second start is ignored")]
    private partial void LogDuplicateStart(string run);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Warm worker {Spare} (process {Pid}) stands ready after {Milliseconds} ms and holds {Memory} of memory"
    )]
    private partial void LogSpareReady(string spare, int pid, long milliseconds, string memory);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Warm worker {Spare} is lost ({Detail}); the next is started after {Seconds} s at the earliest"
    )]
    private partial void LogSpareFailed(string spare, string detail, double seconds);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "'{Command} worker' does not know warm workers, so that every trainer starts in a new process; set worker.warm.dotnet = 0"
    )]
    private partial void LogSparesNotUnderstood(string command);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Environments that nothing uses cannot be removed now: {Problem}")]
    private partial void LogNotSwept(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A worker connected as run '{Run}', which is not expected, and was turned away")]
    private partial void LogStrangeHello(string run);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} processes of the task's former run, of a lost node, were still on this machine and were ended before {Run}"
    )]
    private partial void LogFormerEnded(string run, int count);
}
