using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Members;

internal sealed partial class DowningActor
{
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "the process of the member at {Address} is gone for certain: its connection has ended, and so has its lock"
    )]
    private static partial void LogCrashed(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "member {Incarnation} at {Address} is lost: this node downs it")]
    private static partial void LogDowned(ILogger logger, long incarnation, string address);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "members are unreachable and none of the sides has a majority: the journal must decide who goes on, "
            + "and does not answer: {Problem}"
    )]
    private static partial void LogNotTaken(ILogger logger, string problem);
}
