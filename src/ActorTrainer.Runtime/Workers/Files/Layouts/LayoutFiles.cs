using System.Text;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>What layouts look at: which files stand, and which of them were completed in the open save, in which order.</summary>
/// <param name="open">Opens a file as it was when it was completed; null when it cannot be had.</param>
/// <param name="ranks">How many processes train together; null: not known.</param>
internal sealed class LayoutFiles(Func<string, Stream?> open, Func<int?> ranks)
{
    /// <summary>Of more, no index or pointer is read.</summary>
    private const int LongestText = 64 << 20;

    /// <summary>What frameworks append to beside their checkpoints; it holds nothing that a checkpoint needs.</summary>
    private static readonly string[] Notes = [".json", ".jsonl", ".txt", ".csv", ".tsv", ".yaml", ".yml", ".md"];

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private int _completed;

    /// <summary>All that stands.</summary>
    public IReadOnlyCollection<string> Standing { get; private set; } = [];

    /// <summary>What the checkpoint before had, as paths below its folder; empty: none is known.</summary>
    public IReadOnlyCollection<string> Previous { get; set; } = [];

    /// <summary>How many processes train together; null: not known.</summary>
    public int? Ranks => ranks();

    /// <summary>Files were completed at once: one, or all of a folder that was renamed in.</summary>
    public void Completed(IEnumerable<string> paths, IReadOnlyCollection<string> standing)
    {
        Standing = standing;
        _completed++;
        foreach (string path in paths)
        {
            _numbers[path] = _completed;
        }
    }

    /// <summary>What was completed until now is no part of the open save.</summary>
    /// <param name="butTheLast">Except for what was completed last.</param>
    public void Begin(bool butTheLast)
    {
        foreach (string path in _numbers.Where(number => !butTheLast || number.Value < _completed).Select(number => number.Key).ToArray())
        {
            _ = _numbers.Remove(path);
        }
    }

    /// <summary>When a file was completed in the open save, as a number that grows; 0: it was not.</summary>
    public int Number(string path) => _numbers.GetValueOrDefault(path);

    /// <summary>Whether a file was completed in the open save.</summary>
    public bool IsNew(string path) => Number(path) > 0;

    /// <summary>What stands in a folder and its sub-folders.</summary>
    public IEnumerable<string> Below(string folder) =>
        folder.Length == 0 ? Standing : Standing.Where(path => path.Length > folder.Length && PathKeys.IsAtOrBelow(path, folder));

    /// <summary>The names of the files that stand directly in a folder.</summary>
    public IEnumerable<string> NamesIn(string folder) => Below(folder).Where(path => FolderOf(path) == folder).Select(NameOf);

    /// <summary>Whether a file was completed in the open save, and nothing in a folder after it.</summary>
    public bool IsLast(string path, string folder) => Number(path) is var last and > 0 && Below(folder).All(other => Number(other) <= last);

    /// <summary>
    /// Whether a folder is a save of its own: the watched folder itself, or one whose name counts saves and that is in none that does.
    /// </summary>
    public static bool IsOneSave(string folder)
    {
        string[] names = folder.Length == 0 ? [] : folder.Split('/');
        return names.Length == 0 || (PathKeys.CountsSaves(names[^1]) && !names[..^1].Any(PathKeys.CountsSaves));
    }

    /// <summary>A file that is in no checkpoint of this kind; null: there is none.</summary>
    /// <param name="checkpoint">One of them.</param>
    /// <param name="notesMay">Whether texts may stand beside them.</param>
    /// <param name="others">What may, too.</param>
    public string? Beside(string checkpoint, bool notesMay, params string[] others) =>
        checkpoint.Length == 0
            ? null
            : Standing.FirstOrDefault(path =>
                !PathKeys.IsAtOrBelow(path, checkpoint)
                && !others.Contains(path)
                && !AreOfOneKind(AsDeepAs(checkpoint, path), checkpoint)
                && !(notesMay && Notes.Contains(Path.GetExtension(path), StringComparer.Ordinal))
            );

    /// <summary>The content of a file that is a text; null when it cannot be had.</summary>
    public string? TextOf(string path)
    {
        using Stream? content = Open(path);
        if (content is null || content.Length > LongestText)
        {
            return null;
        }

        using StreamReader reader = new(content, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>The content of a file; null when it cannot be had.</summary>
    public Stream? Open(string path)
    {
        try
        {
            return open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The folder of a path; empty: the watched folder.</summary>
    public static string FolderOf(string path) => path.LastIndexOf('/') is var at and >= 0 ? path[..at] : "";

    /// <summary>The last name of a path.</summary>
    public static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>Whether two checkpoints are the same but for the numbers in their paths.</summary>
    public static bool AreOfOneKind(string checkpoint, string other) => PathKeys.Fold(checkpoint) == PathKeys.Fold(other);

    /// <summary>The part of a path that is as deep as a checkpoint.</summary>
    public static string AsDeepAs(string checkpoint, string path) =>
        string.Join('/', path.Split('/').Take(checkpoint.Count(c => c == '/') + 1));

    /// <summary>The path of something in a folder.</summary>
    public static string In(string folder, string name) => folder.Length == 0 ? name : folder + "/" + name;
}
