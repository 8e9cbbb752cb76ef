using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>
/// The rules of a folder's ignore files (gitignore(5)), in front of those of the folders above it: the last rule of the innermost folder
/// that matches a path decides.
/// </summary>
internal sealed class IgnoreRules
{
    /// <summary>The files with rules; what the later one says goes before what the earlier one does.</summary>
    public static readonly IReadOnlyList<string> FileNames = [".gitignore", ".actortrainerignore"];

    private readonly IgnoreRules? _outer;
    private readonly string _prefix;
    private readonly List<(Rule Rule, string File)> _rules = [];

    private IgnoreRules(string prefix, IgnoreRules? outer)
    {
        _prefix = prefix;
        _outer = outer;
    }

    /// <summary>The rules that hold in a folder.</summary>
    /// <param name="folder">Its full path.</param>
    /// <param name="prefix">Its path below the bundled folder with a slash at its end, or empty.</param>
    /// <param name="outer">The rules of the folder around it.</param>
    /// <exception cref="IOException">A file with rules cannot be read.</exception>
    public static IgnoreRules? In(string folder, string prefix, IgnoreRules? outer)
    {
        IgnoreRules rules = new(prefix, outer);
        foreach (string name in FileNames)
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path))
            {
                rules.Add(name, File.ReadLines(path));
            }
        }

        return rules._rules.Count > 0 ? rules : outer;
    }

    /// <summary>The name of the file whose rule leaves a path out; null: it is not left out.</summary>
    /// <param name="path">Below the bundled folder; the folders that it is in are not left out.</param>
    /// <param name="isFolder">Whether it is a folder.</param>
    public string? Excluding(string path, bool isFolder)
    {
        for (IgnoreRules? rules = this; rules is not null; rules = rules._outer)
        {
            string inside = path[rules._prefix.Length..];
            (Rule? rule, string file) = rules._rules.LastOrDefault(candidate => candidate.Rule.Matches(inside, isFolder));
            if (rule is not null)
            {
                return rule.Negated ? null : file;
            }
        }

        return null;
    }

    internal void Add(string file, IEnumerable<string> lines) =>
        _rules.AddRange(lines.Select(Rule.Parse).OfType<Rule>().Select(rule => (rule, file)));

    /// <summary>Rules of one folder that is the bundled one, from their text.</summary>
    internal static IgnoreRules Of(IEnumerable<string> lines)
    {
        IgnoreRules rules = new("", null);
        rules.Add(FileNames[0], lines);
        return rules;
    }

    private sealed record Rule(PathGlob Glob, bool Negated, bool FoldersOnly, bool NameOnly)
    {
        public bool Matches(string path, bool isFolder) =>
            (isFolder || !FoldersOnly) && Glob.Matches(NameOnly ? path[(path.LastIndexOf('/') + 1)..] : path);

        public static Rule? Parse(string line)
        {
            string text = WithoutTrailingSpaces(line);
            if (text.Length == 0 || text[0] == '#')
            {
                return null;
            }

            bool negated = text[0] == '!';
            text = negated ? text[1..] : text;
            bool foldersOnly = text.EndsWith('/');
            text = foldersOnly ? text[..^1] : text;
            bool nameOnly = !text.Contains('/', StringComparison.Ordinal);
            text = text.StartsWith('/') ? text[1..] : text;
            return PathGlob.WithSets(text) is { } glob ? new Rule(glob, negated, foldersOnly, nameOnly) : null;
        }

        private static string WithoutTrailingSpaces(string line)
        {
            int end = line.Length;
            while (end > 0 && line[end - 1] == ' ' && (end < 2 || line[end - 2] != '\\'))
            {
                end--;
            }

            return line[..end];
        }
    }
}
