using System.Globalization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Bench.Failover;

/// <summary>What is measured: every combination of engine, database and mode.</summary>
/// <param name="Engines">What carries the tasks, one after the other.</param>
/// <param name="Databases">What the journal is in.</param>
/// <param name="Modes">Kinds of fault, for each engine the same.</param>
/// <param name="Kills">Faults of each kind.</param>
/// <param name="Fencing">Off only to show that the bench sees what fencing prevents; the embedded engine's journal can do without it.</param>
internal sealed record FailoverOptions(
    IReadOnlyList<EngineKind> Engines, IReadOnlyList<string> Databases, IReadOnlyList<string> Modes, int Kills, bool Fencing)
{
    public const string Crash = "crash";
    public const string Silent = "silent";
    public const string Drain = "drain";

    /// <summary>Parses <c>[--engine NAME,…] [--database NAME,…] [--modes crash,silent,drain] [--kills N] [--fencing off]</c>.</summary>
    /// <exception cref="OptionException">An argument is not right.</exception>
    public static FailoverOptions Parse(IReadOnlyList<string> arguments)
    {
        OptionSet options = OptionSet.Parse(
            arguments,
            ("--engine", BenchEngine.Default),
            ("--database", BenchDatabase.Sqlite),
            ("--modes", $"{Crash},{Silent},{Drain}"),
            ("--kills", "50"),
            ("--fencing", "on"));
        FailoverOptions parsed = new(
            [.. options.Several("--engine", BenchEngine.Names).Select(BenchEngine.Parse)],
            options.Several("--database", BenchDatabase.Sqlite, BenchDatabase.PostgreSql),
            options.Several("--modes", Crash, Silent, Drain),
            options.Number("--kills", least: 1),
            options.One("--fencing", "on", "off") == "on");
        BenchDatabase.ShouldFit(parsed.Engines, parsed.Databases);
        return parsed.Fencing || !parsed.Engines.Contains(EngineKind.Akka)
            ? parsed
            : throw new OptionException("--fencing off is for the embedded engine only: the akka engine's journal cannot do without");
    }

    /// <summary>The settings with which the nodes of an engine find a loss and answer it: the defaults, since the bench changes none.</summary>
    public static string SettingsOf(EngineKind engine)
    {
        NodeModel model = NodeConfiguration.Load([]);
        (string Key, object Value)[] settings =
        [
            ("heartbeat-interval", model.Membership.HeartbeatInterval),
            ("acceptable-pause", model.Membership.AcceptablePause),
            ("settle", model.Sharding.Settle),
            .. engine == EngineKind.Akka ? Array.Empty<(string, object)>() :
            [
                ("phi-threshold", model.Membership.PhiThreshold),
                ("probe-timeout", model.Membership.ProbeTimeout),
                ("lease-beat", model.Sharding.LeaseBeat),
                ("lease-timeout", model.Sharding.LeaseTimeout),
                ("activation-timeout", model.Sharding.ActivationTimeout),
            ],
        ];
        return string.Join(' ', settings.Select(setting => $"{setting.Key}={Text(setting.Value)}"));
    }

    private static string Text(object value) => value switch
    {
        TimeSpan span when span < TimeSpan.FromSeconds(1) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds}ms"),
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };
}
