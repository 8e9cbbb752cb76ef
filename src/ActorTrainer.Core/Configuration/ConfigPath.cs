using System.Diagnostics.CodeAnalysis;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Makes a path of the configuration absolute. Handed in, since what is absolute depends on the machine. A relative path is meant relative
/// to <see cref="ConfigOrigin.Folder"/>, the folder of the file in which it is written; one from anywhere else (built-in default,
/// environment, flag) to the working directory.
/// </summary>
/// <param name="path">The path as written.</param>
/// <param name="origin">Where it is written; null for a built-in default.</param>
public delegate string PathResolver(string path, ConfigOrigin? origin);

internal static class ConfigPath
{
    /// <summary>Whether a text can be a path at all.</summary>
    public static bool IsUsable([NotNullWhen(true)] string? path) =>
        !string.IsNullOrWhiteSpace(path) && !path.Contains('\0', StringComparison.Ordinal);
}
