using System.Diagnostics.CodeAnalysis;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Paths in configuration. A relative path is relative to the folder of the file in which it is written; one from anywhere else (built-in
/// default, environment, flag) is relative to the working directory.
/// </summary>
public static class ConfigPath
{
    /// <summary>The source name of the defaults that are part of the program.</summary>
    public const string BuiltInSource = "reference.conf";

    /// <summary>The absolute path. Nothing is looked up on the disk.</summary>
    public static string Resolve(string path, ConfigOrigin? origin, string workingDirectory) =>
        Path.GetFullPath(path, origin?.Folder ?? workingDirectory);

    /// <summary>Whether a text can be a path at all.</summary>
    public static bool IsUsable([NotNullWhen(true)] string? path) =>
        !string.IsNullOrWhiteSpace(path) && !path.Contains('\0', StringComparison.Ordinal);
}
