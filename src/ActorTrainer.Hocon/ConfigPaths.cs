using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon;

/// <summary>Makes paths of the configuration absolute.</summary>
public static class ConfigPaths
{
    /// <summary>
    /// A path in a file is relative to that file's folder, any other one to <paramref name="workingDirectory"/>, which is absolute. Nothing
    /// is looked up on the disk.
    /// </summary>
    public static PathResolver Resolver(string workingDirectory) =>
        (path, origin) => Path.GetFullPath(path, origin?.Folder ?? workingDirectory);
}
