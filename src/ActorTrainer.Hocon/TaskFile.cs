using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Hocon;

/// <summary>Reads task files: <c>task { name = …, command = [ … ] }</c>.</summary>
public static class TaskFile
{
    /// <summary>The validated specification in a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="overrides">Values of flags, with keys such as <c>task.priority</c>; a later one wins.</param>
    /// <param name="environment">What substitutions fall back to; null: nothing.</param>
    /// <exception cref="ConfigException">Something is wrong; says where, what and what to do.</exception>
    public static TaskSpec Read(
        string path,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        ConfigObject root = HoconReader.Resolve(
            [Parsing.IncludeLoader.LoadFile(path), .. (overrides ?? []).Select(OverrideLayer.Of)],
            environment
        );
        return TaskSpecReader.Read(root, ConfigPaths.Resolver(Environment.CurrentDirectory));
    }
}
