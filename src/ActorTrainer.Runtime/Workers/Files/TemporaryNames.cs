namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Names that say of a file or a folder that it is in the making, or is thrown away.</summary>
internal static class TemporaryNames
{
    private const string Word = "tmp";

    /// <summary>What NFS calls a file that was removed while somebody has it open.</summary>
    private const string RemovedOnNfs = ".nfs";

    private static readonly string[] Endings = [".temp", ".part", ".partial", ".incomplete", ".swp", "~"];

    /// <summary>
    /// Whether a single name, without folders, says so: it ends in <c>.tmp</c>, <c>.temp</c>, <c>.part</c>, <c>.partial</c>,
    /// <c>.incomplete</c>, <c>.swp</c> or <c>~</c>, begins with <c>tmp</c> (a dot before it or not), or has <c>tmp</c> between separators
    /// (<c>7.orbax-checkpoint-tmp-3</c>).
    /// </summary>
    public static bool IsTemporary(string name)
    {
        if (
            name.StartsWith(RemovedOnNfs, StringComparison.Ordinal)
            || name.TrimStart('.').StartsWith(Word, StringComparison.OrdinalIgnoreCase)
            || Endings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
        )
        {
            return true;
        }

        for (
            int at = name.IndexOf(Word, StringComparison.OrdinalIgnoreCase);
            at >= 0;
            at = name.IndexOf(Word, at + 1, StringComparison.OrdinalIgnoreCase)
        )
        {
            int end = at + Word.Length;
            if (IsSeparator(name[at - 1]) && (end == name.Length || IsSeparator(name[end])))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsSeparator(char c) => c is '.' or '-' or '_' or ' ' or '=';
}
