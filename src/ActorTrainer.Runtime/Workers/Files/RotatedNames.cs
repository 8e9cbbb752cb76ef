namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Names that a file gets when the next of its kind is about to be written.</summary>
internal static class RotatedNames
{
    private static readonly string[] Words = ["prev", "previous", "old", "bak", "backup"];

    /// <summary>Whether a path's last name says so: it has one of these words between separators.</summary>
    public static bool SaysSo(string path) =>
        Path.GetFileName(path).Split('.', '-', '_').Any(part => Words.Contains(part, StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// Whether a path's last name is the former one and a number (<c>model.pt.1</c>), as that of a save may be as well. Any other name with
    /// a number is that of a save.
    /// </summary>
    public static bool MayBeOne(string path, string from)
    {
        string name = Path.GetFileName(path);
        return char.IsAsciiDigit(name[^1]) && name.StartsWith(Path.GetFileName(from), StringComparison.Ordinal);
    }
}
