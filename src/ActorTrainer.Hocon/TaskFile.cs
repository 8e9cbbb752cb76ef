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
    /// <exception cref="ConfigException">Something is wrong; says where, what and what to do. Or the file bundles a folder, which
    /// <see cref="ReadDraft"/> reads.</exception>
    public static TaskSpec Read(
        string path,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    ) => TaskSpecReader.Read(Load(path, overrides, environment), ConfigPaths.Resolver(Environment.CurrentDirectory));

    /// <summary>The same of a file that may bundle a folder, which is packed and uploaded before the task is submitted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="overrides">As for <see cref="Read"/>.</param>
    /// <param name="environment">As for <see cref="Read"/>.</param>
    /// <exception cref="ConfigException">Something is wrong; says where, what and what to do.</exception>
    public static TaskDraft ReadDraft(
        string path,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    ) => TaskSpecReader.ReadDraft(Load(path, overrides, environment), ConfigPaths.Resolver(Environment.CurrentDirectory));

    private static ConfigObject Load(
        string path,
        IReadOnlyList<ConfigOverride>? overrides,
        IReadOnlyDictionary<string, string>? environment
    ) => HoconReader.Resolve([Parsing.IncludeLoader.LoadFile(path), .. (overrides ?? []).Select(OverrideLayer.Of)], environment);
}
