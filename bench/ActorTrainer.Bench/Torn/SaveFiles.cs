using System.Globalization;
using System.Text.RegularExpressions;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Bench.Torn;

/// <summary>Writes saves into a folder, and reads what is in one. Every file holds the number of its save twice, at both ends.</summary>
/// <param name="folder">Where.</param>
/// <param name="files">What stands there, each with the number of its save.</param>
/// <param name="attempt">Does one thing to the folder; false: the script has died before it.</param>
/// <param name="halfWritten">Called when a file is written by half.</param>
internal sealed partial class SaveFiles(
    string folder,
    IReadOnlyDictionary<string, int> files,
    Func<Action, bool> attempt,
    Action halfWritten
)
{
    private const string Temporary = ".tmp";
    private const string Previous = ".prev";
    private static readonly string Padding = new('x', 200);

    private readonly Dictionary<string, int> _files = new(files, StringComparer.Ordinal);

    /// <summary>What stands, each with the number of its save.</summary>
    public IReadOnlyDictionary<string, int> Files => _files;

    /// <summary>What stands once a step is done.</summary>
    public IReadOnlyDictionary<string, int> After(int save, SaveStep step)
    {
        Dictionary<string, int> after = new(_files, StringComparer.Ordinal);
        if (step.Way == Way.Rotated && after.TryGetValue(step.Path, out int before))
        {
            after[step.Path + Previous] = before;
        }

        after[step.Path] = save;
        return after;
    }

    /// <summary>Does one step of a save; false: the script has died in it.</summary>
    public bool Write(int save, SaveStep step)
    {
        string full = Path.Combine(folder, step.Path);
        bool done = step.Way switch
        {
            Way.Renamed => Put(full + Temporary, save, step.Text) && attempt(() => File.Move(full + Temporary, full, overwrite: true)),
            Way.Linked => Put(full + Temporary, save, step.Text) && attempt(() => Link(full + Temporary, full)),
            Way.Folder => PutFolder(full, save, step.Text),
            Way.RemovedFirst => attempt(() => Remove(step.Path)) && Put(full, save, step.Text),
            Way.Rotated => attempt(() => Rotate(step.Path))
                && Put(full + Temporary, save, step.Text)
                && attempt(() => File.Move(full + Temporary, full, overwrite: true)),
            _ => Put(full, save, step.Text),
        };
        if (done)
        {
            _files[step.Path] = save;
        }

        return done;
    }

    /// <summary>
    /// Each file of a folder with the number of its save; -1 for one that is not whole. Those with temporary names are passed over.
    /// </summary>
    public static Dictionary<string, int> In(string folder) =>
        Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file))
            .Where(path => !path.Contains(Temporary, StringComparison.Ordinal))
            .ToDictionary(path => path, path => SaveOf(File.ReadAllText(Path.Combine(folder, path))), StringComparer.Ordinal);

    /// <summary>The content of a file of a save.</summary>
    public static string Text(int save) => string.Create(CultureInfo.InvariantCulture, $"{save} {Padding} {save}");

    private bool PutFolder(string full, int save, string? text)
    {
        string target = Path.GetDirectoryName(full)!;
        return Put(Path.Combine(target + Temporary, Path.GetFileName(full)), save, text)
            && attempt(() => Directory.Move(target + Temporary, target));
    }

    private bool Put(string path, int save, string? meant)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string text = meant ?? Text(save);
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        using StreamWriter writer = new(file);
        writer.Write(text[..(text.Length / 2)]);
        writer.Flush();
        if (!attempt(halfWritten))
        {
            return false;
        }

        writer.Write(text[(text.Length / 2)..]);
        return true;
    }

    private static void Link(string from, string to)
    {
        if (!HardLink.TryCreate(from, to))
        {
            throw new IOException($"'{from}' could not be linked to '{to}'");
        }

        File.Delete(from);
    }

    private void Remove(string path)
    {
        File.Delete(Path.Combine(folder, path));
        _ = _files.Remove(path);
    }

    private void Rotate(string path)
    {
        string full = Path.Combine(folder, path);
        if (File.Exists(full))
        {
            File.Move(full, full + Previous, overwrite: true);
            _files[path + Previous] = _files[path];
            _ = _files.Remove(path);
        }
    }

    private static int SaveOf(string text)
    {
        string[] parts = text.Split(' ');
        return parts.Length == 1 && LastNumber().Match(text) is { Success: true } last ? int.Parse(last.Value, CultureInfo.InvariantCulture)
            : parts.Length == 3 && parts[0] == parts[2] ? int.Parse(parts[0], CultureInfo.InvariantCulture)
            : -1;
    }

    [GeneratedRegex(@"[0-9]+(?=[^0-9]*$)")]
    private static partial Regex LastNumber();
}
