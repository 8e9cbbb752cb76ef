using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon;

/// <summary>
/// Refuses overrides that nobody would read. What stands in a file beside the node's sections is the user's own, for substitutions; an
/// override of a key that no file has is a slip.
/// </summary>
internal static class OverrideKeys
{
    private const string Node = "actortrainer";
    private const string Akka = "akka";

    /// <param name="overrides">The overrides.</param>
    /// <param name="ownKeys">Keys at the root of the files.</param>
    /// <exception cref="ConfigException">A key is neither the node's nor Akka.NET's nor in a file; names the nearest one.</exception>
    public static void Check(IReadOnlyList<ConfigOverride> overrides, IEnumerable<string> ownKeys)
    {
        HashSet<string> known = new([Node, Akka, .. ownKeys], StringComparer.Ordinal);
        foreach (ConfigOverride item in overrides)
        {
            ConfigOrigin origin = new(item.Origin, 0, 0);
            if (!known.Contains(PathParser.ParseAll(item.KeyPath, origin)[0]))
            {
                throw new ConfigException(origin, $"{item.KeyPath} is not a known key. {Advice(item.KeyPath)}");
            }
        }
    }

    private static string Advice(string key)
    {
        string[] paths = [.. Paths(NodeConfiguration.Reference(), "")];
        string? near =
            NearestName.Find(key, paths)
            ?? Near(key, paths, path => path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..])
            ?? Near(key, paths, path => path[(path.LastIndexOf('.') + 1)..]);
        return near is not null
            ? $"Did you mean {near}?"
            : $"Those of a node begin with {Node}. or {Akka}.; 'actortrainer config show FILE' prints them all.";
    }

    /// <summary>The path of which a part is nearest to what was written.</summary>
    private static string? Near(string key, string[] paths, Func<string, string> part) =>
        NearestName.Find(key, paths.Select(part)) is string near ? paths.First(path => part(path) == near) : null;

    private static IEnumerable<string> Paths(ConfigObject config, string before) =>
        config.Fields.SelectMany(field =>
            field.Value is ConfigObject below ? Paths(below, $"{before}{field.Key}.") : [$"{before}{field.Key}"]
        );
}
