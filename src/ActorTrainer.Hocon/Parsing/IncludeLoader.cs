using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>Reads a file and the files that it includes.</summary>
internal sealed class IncludeLoader
{
    private readonly string _displayFolder;
    private readonly IReadOnlyList<string> _open;

    private IncludeLoader(string folder, string displayFolder, IReadOnlyList<string> open)
    {
        Folder = folder;
        _displayFolder = displayFolder;
        _open = open;
    }

    /// <summary>The absolute folder of the including file.</summary>
    public string Folder { get; }

    /// <summary>Parses a file. Messages name it as the caller did.</summary>
    public static ObjectExpression LoadFile(string path) => Parse(path, [], []);

    /// <summary>Parses an included file; null when there is none and that is allowed.</summary>
    public ObjectExpression? Load(string name, ConfigOrigin place, bool required, IReadOnlyList<IReadOnlyList<string>> prefixes)
    {
        foreach (string candidate in (string[])[name, name + ".conf", name + ".json"])
        {
            string path = Path.Combine(Folder, candidate);
            if (!File.Exists(path))
            {
                continue;
            }

            if (_open.Contains(Path.GetFullPath(path), StringComparer.Ordinal))
            {
                throw new ConfigException(place, $"'{name}' includes itself, by way of {string.Join(" → ", _open.Select(Path.GetFileName))}. Remove one of the includes.");
            }

            return Parse(Path.Combine(_displayFolder, candidate), _open, prefixes);
        }

        return required
            ? throw new ConfigException(place, $"the required file '{name}' does not exist in {Folder}. Create it, or correct the name (it is relative to the including file).")
            : null;
    }

    private static ObjectExpression Parse(
        string path, IReadOnlyList<string> open, IReadOnlyList<IReadOnlyList<string>> prefixes)
    {
        string full = Path.GetFullPath(path);
        string text = ConfigText.ReadFile(path);
        IncludeLoader includes = new(Path.GetDirectoryName(full) ?? full, Path.GetDirectoryName(path) ?? "", [.. open, full]);
        return new HoconParser(text, path, includes, prefixes).ParseRoot();
    }
}
