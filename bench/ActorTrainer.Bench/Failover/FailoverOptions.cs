using System.Globalization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Bench.Failover;

/// <summary>What is measured: every combination of database and mode.</summary>
/// <param name="Databases">What the journal is in.</param>
/// <param name="Modes">Kinds of fault.</param>
/// <param name="Kills">Faults of each kind.</param>
/// <param name="StateMegabytes">What each trainer saves, in MB (10⁶ bytes).</param>
internal sealed record FailoverOptions(IReadOnlyList<string> Databases, IReadOnlyList<string> Modes, int Kills, int StateMegabytes)
{
    public const string Crash = "crash";
    public const string Silent = "silent";
    public const string Drain = "drain";

    /// <summary>One task with a state of 50 MB.</summary>
    public const string DrainLarge = "drain-large";

    private const int LargeMegabytes = 50;
    private const int SeveralTasks = 3;

    /// <summary>Parses <c>[--database NAME,…] [--modes crash,silent,drain,drain-large] [--kills N] [--state-mb N]</c>.</summary>
    /// <exception cref="OptionException">An argument is not right.</exception>
    public static FailoverOptions Parse(IReadOnlyList<string> arguments)
    {
        OptionSet options = OptionSet.Parse(
            arguments,
            ("--database", BenchDatabase.Sqlite),
            ("--modes", $"{Crash},{Silent},{Drain},{DrainLarge}"),
            ("--kills", "50"),
            ("--state-mb", "10")
        );
        return new FailoverOptions(
            options.Several("--database", BenchDatabase.Sqlite, BenchDatabase.PostgreSql),
            options.Several("--modes", Crash, Silent, Drain, DrainLarge),
            options.Number("--kills", least: 1),
            options.Number("--state-mb", least: 1, most: 2000)
        );
    }

    /// <summary>Whether nodes are drained in a mode.</summary>
    public static bool IsDrain(string mode) => mode is Drain or DrainLarge;

    /// <summary>How many tasks run on the three nodes, and how much each saves in MB.</summary>
    public (int Tasks, int Megabytes) TasksIn(string mode) => mode == DrainLarge ? (1, LargeMegabytes) : (SeveralTasks, StateMegabytes);

    /// <summary>The settings with which the nodes find a loss and answer it: the defaults, since the bench changes none.</summary>
    public static string Settings()
    {
        MembershipModel membership = NodeConfiguration.Load([]).Membership;
        return $"heartbeat-interval={Text(membership.HeartbeatInterval)} acceptable-pause={Text(membership.AcceptablePause)}";
    }

    private static string Text(TimeSpan span) =>
        span < TimeSpan.FromSeconds(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds}ms")
            : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds}s");
}
