using Microsoft.Extensions.Logging;

namespace ActorTrainer.Journal;

public sealed partial class SqliteJournal
{
    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "FENCING IS OFF for the journal {Path} ({Variable}=off): two nodes may write one task. This is for tests only.")]
    private static partial void LogFencingOff(ILogger logger, string path, string variable);
}
