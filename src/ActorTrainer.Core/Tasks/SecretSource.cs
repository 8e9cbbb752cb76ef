namespace ActorTrainer.Core.Tasks;

/// <summary>Where a secret value of a task's environment comes from, see <see cref="TaskSpec.Secrets"/>.</summary>
public static class SecretSource
{
    private const string FilePrefix = "file:";

    /// <summary>The absolute path of the file that the value stands in; null when the text says no such place.</summary>
    /// <param name="source"><c>file:</c> and the path.</param>
    public static string? PathOf(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.StartsWith(FilePrefix + "/", StringComparison.Ordinal) && !source.Contains('\0', StringComparison.Ordinal)
            ? source[FilePrefix.Length..]
            : null;
    }
}
