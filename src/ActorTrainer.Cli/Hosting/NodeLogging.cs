using ActorTrainer.Core.Configuration;
using Microsoft.Extensions.Logging;
using NLog.Config;
using NLog.Extensions.Logging;
using NLog.Targets;

namespace ActorTrainer.Cli.Hosting;

/// <summary>The node's own log through NLog, for hosts that have none of their own.</summary>
public static class NodeLogging
{
    private const string Layout =
        "${longdate:universalTime=true} ${pad:padding=-5:inner=${level:uppercase=true}} ${logger:shortName=true}: "
        + "${message}${onexception:inner=${newline}${exception:format=tostring}}";
    private const long MaxFileBytes = 64L << 20;

    /// <summary>
    /// Logs to standard error, or to the file of the model (64 MiB, then one older file is kept), from the model's level on.
    /// </summary>
    public static ILoggingBuilder AddNodeLog(this ILoggingBuilder logging, LoggingModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        LoggingConfiguration configuration = new();
        Target target = model.File is null
            ? new ConsoleTarget("stderr") { StdErr = true, Layout = Layout }
            : new FileTarget("file")
            {
                FileName = model.File,
                Layout = Layout,
                ArchiveAboveSize = MaxFileBytes,
                MaxArchiveFiles = 1,
            };
        NLog.LogLevel level = NLog.LogLevel.FromString(model.Level);
        NullTarget quiet = new("quiet");
        configuration.AddTarget(target);

        // What keeps a host from starting comes out of it as an exception too, and is said in one message; here it would be a page of stack
        // traces.
        configuration.AddRule(NLog.LogLevel.Trace, NLog.LogLevel.Fatal, quiet, "Microsoft.Extensions.Hosting.Internal.Host", final: true);
        configuration.AddRule(
            level < NLog.LogLevel.Warn ? NLog.LogLevel.Warn : level,
            NLog.LogLevel.Fatal,
            target,
            "Microsoft.*",
            final: true
        );
        configuration.AddRule(NLog.LogLevel.Trace, NLog.LogLevel.Warn, quiet, "Microsoft.*", final: true);
        configuration.AddRule(level, NLog.LogLevel.Fatal, target);
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace);
        return logging.AddNLog(configuration);
    }
}
