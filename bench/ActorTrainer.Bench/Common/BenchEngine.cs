using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Bench.Common;

/// <summary>Engines by their names in the configuration.</summary>
internal static class BenchEngine
{
    public const string Default = "embedded";

    public static readonly string[] Names = ["embedded", "akka"];

    public static string NameOf(EngineKind engine) => engine.ToString().ToLowerInvariant();

    public static EngineKind Parse(string name) => Enum.Parse<EngineKind>(name, ignoreCase: true);
}
