using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>Reads a file and the files that it includes.</summary>
internal sealed class IncludeLoader
{
    /// <summary>Files that include the next one twice are many long before they are deep.</summary>
    public const int MaxFiles = 1_000;

    /// <summary>Endings that a name may be given without, the one that counts least first.</summary>
    private static readonly string[] Endings = [".json", ".conf"];

    private readonly string _displayFolder;
    private readonly IReadOnlyList<string> _open;
    private readonly Tally _files;

    private IncludeLoader(string folder, string displayFolder, IReadOnlyList<string> open, Tally files)
    {
        Folder = folder;
        _displayFolder = displayFolder;
        _open = open;
        _files = files;
    }

    /// <summary>The absolute folder of the including file.</summary>
    public string Folder { get; }

    /// <summary>Parses a file. Messages name it as the caller did.</summary>
    public static ObjectExpression LoadFile(string path) => Parse(path, [], [], new Tally(), 0);

    /// <summary>
    /// Parses an included file, or those that have its name before their ending; null when there is none and that is allowed.
    /// </summary>
    public ObjectExpression? Load(string name, ConfigOrigin place, bool required, IReadOnlyList<IReadOnlyList<string>> prefixes, int depth)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            throw new ConfigException(place, "the name of the included file is empty. Write include \"other.conf\".");
        }

        string[] present = File.Exists(Path.Combine(Folder, name))
            ? [name]
            : [.. Endings.Select(ending => name + ending).Where(candidate => File.Exists(Path.Combine(Folder, candidate)))];
        if (present.Length == 0)
        {
            return required
                ? throw new ConfigException(
                    place,
                    $"the required file '{name}' does not exist in {Folder}. "
                        + "Create it, or correct the name (it is relative to the including file)."
                )
                : null;
        }

        ObjectExpression all = new(place);
        foreach (string candidate in present)
        {
            if (_open.Contains(Path.GetFullPath(Path.Combine(Folder, candidate)), StringComparer.Ordinal))
            {
                throw new ConfigException(
                    place,
                    $"'{name}' includes itself, by way of {string.Join(" → ", _open.Select(Path.GetFileName))}. Remove one of the includes."
                );
            }

            if (++_files.Count > MaxFiles)
            {
                throw new ConfigException(
                    place,
                    $"this is the include number {MaxFiles + 1} of one configuration. Check which files include each other."
                );
            }

            all.AddAll(Parse(Path.Combine(_displayFolder, candidate), _open, prefixes, _files, depth));
        }

        return all;
    }

    private static ObjectExpression Parse(
        string path,
        IReadOnlyList<string> open,
        IReadOnlyList<IReadOnlyList<string>> prefixes,
        Tally files,
        int depth
    )
    {
        string text = ConfigText.ReadFile(path);
        string full = Path.GetFullPath(path);
        IncludeLoader includes = new(Path.GetDirectoryName(full) ?? full, Path.GetDirectoryName(path) ?? "", [.. open, full], files);
        return new HoconParser(text, path, includes, prefixes, depth).ParseRoot();
    }

    /// <summary>How many files have been included, counted over all of one configuration.</summary>
    private sealed class Tally
    {
        public int Count { get; set; }
    }
}
