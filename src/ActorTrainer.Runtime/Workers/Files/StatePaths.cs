using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Which paths of a watched folder are a task's state.</summary>
/// <param name="patterns">Patterns of files and folders; none: everything is.</param>
internal sealed class StatePaths(IReadOnlyList<string>? patterns)
{
    private readonly PathGlob[] _patterns = [.. (patterns ?? []).Select(PathGlob.Plain)];

    /// <summary>Whether everything is.</summary>
    public bool All => _patterns.Length == 0;

    /// <summary>Whether a path, or a folder that it is in, is named.</summary>
    public bool Include(string path)
    {
        if (All)
        {
            return true;
        }

        for (string? part = path; !string.IsNullOrEmpty(part); part = Path.GetDirectoryName(part))
        {
            if (_patterns.Any(pattern => pattern.Matches(part)))
            {
                return true;
            }
        }

        return false;
    }
}
