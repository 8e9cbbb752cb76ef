using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;
using ActorTrainer.Hocon.Resolving;

namespace ActorTrainer.Hocon;

/// <summary>
/// Reads HOCON (github.com/lightbend/config, HOCON.md): objects, path keys, arrays, comments, includes of files, substitutions with the
/// environment as fallback, merging, joining, <c>+=</c> and all kinds of strings. Included names are relative to the including file.
/// </summary>
public static class HoconReader
{
    /// <summary>Reads one file.</summary>
    /// <param name="path">The file; messages name it like this.</param>
    /// <param name="environment">What <c>${NAME}</c> falls back to; null: nothing.</param>
    /// <exception cref="ConfigException">The file cannot be read or has a mistake; says where, what and what to do.</exception>
    public static ConfigObject ReadFile(string path, IReadOnlyDictionary<string, string>? environment = null) =>
        ReadFiles([path], environment);

    /// <summary>Reads files that are merged: a later one wins. A substitution sees the values of all of them.</summary>
    /// <exception cref="ArgumentException">No file is given.</exception>
    /// <exception cref="ConfigException">As for one file.</exception>
    public static ConfigObject ReadFiles(IReadOnlyList<string> paths, IReadOnlyDictionary<string, string>? environment = null)
    {
        if (paths.Count == 0)
        {
            throw new ArgumentException("At least one file is needed.", nameof(paths));
        }

        return Resolve([.. paths.Select(IncludeLoader.LoadFile)], environment);
    }

    /// <summary>Reads a text. It cannot include files.</summary>
    /// <param name="text">The text.</param>
    /// <param name="sourceName">How messages name it.</param>
    /// <param name="environment">What <c>${NAME}</c> falls back to; null: nothing.</param>
    /// <exception cref="ConfigException">The text has a mistake.</exception>
    public static ConfigObject ReadText(string text, string sourceName, IReadOnlyDictionary<string, string>? environment = null) =>
        Resolve([ParseText(text, sourceName)], environment);

    /// <summary>Reads a text whose substitutions also see values that were made elsewhere.</summary>
    /// <param name="text">The text. It cannot include files.</param>
    /// <param name="sourceName">How messages name it.</param>
    /// <param name="known">What substitutions find besides the text's own values; each value taken from it keeps its place. It is not in
    /// the result.</param>
    /// <exception cref="ConfigException">The text has a mistake.</exception>
    public static ConfigObject ReadText(string text, string sourceName, ConfigObject known)
    {
        ObjectExpression parsed = ParseText(text, sourceName);
        ConfigObject all = Resolve([(ObjectExpression)HoconExpression.Of(known), parsed], null);
        return all with { Fields = [.. all.Fields.Where(field => parsed.Keys.Contains(field.Key))] };
    }

    internal static ObjectExpression ParseText(string text, string sourceName) =>
        new HoconParser(text, sourceName, null, [], 0).ParseRoot();

    /// <summary>Resolves parsed texts, the one that counts least first.</summary>
    internal static ConfigObject Resolve(IReadOnlyList<ObjectExpression> layers, IReadOnlyDictionary<string, string>? environment) =>
        new HoconResolver(layers, environment ?? new Dictionary<string, string>()).Resolve();
}
