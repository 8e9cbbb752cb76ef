using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Bench.Failover;

/// <summary>What is measured.</summary>
/// <param name="Engines">What carries the tasks, one after the other.</param>
/// <param name="Modes">Kinds of fault, for each engine the same.</param>
/// <param name="Kills">Faults of each kind.</param>
/// <param name="Fencing">Off only to show that the bench sees what fencing prevents; the embedded engine's journal can do without it.</param>
internal sealed record FailoverOptions(IReadOnlyList<EngineKind> Engines, IReadOnlyList<string> Modes, int Kills, bool Fencing)
{
    /// <summary>Parses <c>[--engine NAME,…] [--modes crash,silent] [--kills N] [--fencing off]</c>.</summary>
    public static bool TryParse(string[] arguments, [NotNullWhen(true)] out FailoverOptions? options, out string problem)
    {
        options = null;
        Dictionary<string, string> given = new()
        {
            ["--engine"] = "embedded",
            ["--modes"] = "crash,silent",
            ["--kills"] = "50",
            ["--fencing"] = "on",
        };
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (!given.ContainsKey(arguments[i]) || i + 1 == arguments.Length)
            {
                problem = $"'{arguments[i]}' is no option, or has no value: there are {string.Join(", ", given.Keys)}";
                return false;
            }

            given[arguments[i]] = arguments[i + 1];
        }

        string[] engines = given["--engine"].Split(',');
        string[] modes = given["--modes"].Split(',');
        bool fencing = given["--fencing"] != "off";
        problem = engines.Except(["embedded", "akka"]).Any() ? $"--engine takes embedded, akka or both with a comma between, not '{given["--engine"]}'"
            : modes.Except(["crash", "silent"]).Any() ? $"--modes takes crash, silent or both with a comma between, not '{given["--modes"]}'"
            : !int.TryParse(given["--kills"], NumberStyles.None, CultureInfo.InvariantCulture, out int kills) || kills == 0 ? $"--kills takes a number from 1 on, not '{given["--kills"]}'"
            : given["--fencing"] is not ("on" or "off") ? $"--fencing takes on or off, not '{given["--fencing"]}'"
            : !fencing && engines.Contains("akka") ? "--fencing off is for the embedded engine only: the akka engine's journal cannot do without"
            : "";
        if (problem.Length > 0)
        {
            return false;
        }

        options = new FailoverOptions(
            [.. engines.Select(name => Enum.Parse<EngineKind>(name, ignoreCase: true))],
            modes,
            int.Parse(given["--kills"], CultureInfo.InvariantCulture),
            fencing);
        return true;
    }

    /// <summary>An engine's name as the configuration has it.</summary>
    public static string NameOf(EngineKind engine) => engine.ToString().ToLowerInvariant();

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
        return $"settings engine={NameOf(engine)} {string.Join(' ', settings.Select(setting => $"{setting.Key}={Text(setting.Value)}"))}";
    }

    private static string Text(object value) => value switch
    {
        TimeSpan span when span < TimeSpan.FromSeconds(1) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds}ms"),
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };
}
