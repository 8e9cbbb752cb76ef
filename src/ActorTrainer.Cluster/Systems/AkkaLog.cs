using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Microsoft.Extensions.Logging;
using AkkaLogLevel = Akka.Event.LogLevel;
using HostLogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace ActorTrainer.Cluster.Systems;

/// <summary>Hands what Akka logs to the host's log, which is NLog in <c>actortrainer</c>.</summary>
/// <remarks>Made by Akka from <c>akka.loggers</c>, by reflection.</remarks>
public sealed class AkkaLog : ReceiveActor
{
    /// <summary>Called by Akka.</summary>
    public AkkaLog()
    {
        ILoggerFactory loggers = SessionSetup.Of(Context.System).Loggers;
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e =>
        {
            // The class stands for nothing where Akka names the source by a text.
            ILogger logger = loggers.CreateLogger(
                e.LogClass.Namespace?.StartsWith("Akka.Event", StringComparison.Ordinal) == false ? e.LogClass.FullName! : "Akka"
            );
#pragma warning disable CA1848, CA2254 // The text is Akka's own, already put together.
            logger.Log(LevelOf(e), e.Cause, "{Text}", $"{e.Message}");
#pragma warning restore CA1848, CA2254
        });
    }

    /// <summary>
    /// A region warns after five tries. At the interval at which it tries here that is a quarter of a second, as every fail-over and move
    /// takes.
    /// </summary>
    internal static HostLogLevel LevelOf(LogEvent e) =>
        e.LogLevel() switch
        {
            AkkaLogLevel.WarningLevel
                when e.LogClass == typeof(ShardRegion)
                    && $"{e.Message}" is var text
                    && (
                        text.Contains("Requested shard homes", StringComparison.Ordinal)
                        || text.Contains("Trying to register", StringComparison.Ordinal)
                    ) => HostLogLevel.Debug,
            AkkaLogLevel.DebugLevel => HostLogLevel.Debug,
            AkkaLogLevel.InfoLevel => HostLogLevel.Information,
            AkkaLogLevel.WarningLevel => HostLogLevel.Warning,
            _ => HostLogLevel.Error,
        };
}
