using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>A file as it stood when it was looked at.</summary>
/// <param name="RelativePath">Its path below the folder.</param>
/// <param name="Status">Size, time, inode, mode.</param>
/// <param name="Link">For a symbolic link where it leads, relative to its own place; else null.</param>
internal sealed record FileMark(string RelativePath, FileStatus Status, string? Link = null);

/// <summary>What stands in a checkpoint folder, sorted by path, and what of it no checkpoint can have.</summary>
/// <param name="Files">Files, and links to what is below the folder.</param>
/// <param name="LeftOut">A sentence about each of the rest. Pipes, sockets and devices are not mentioned: nobody expects them back.</param>
internal sealed record FolderFiles(IReadOnlyList<FileMark> Files, IReadOnlyList<string> LeftOut)
{
    private const int MaxDepth = 8;

    /// <summary>Lists a folder; what goes away meanwhile is not there.</summary>
    /// <param name="root">The folder, without links in its path.</param>
    /// <exception cref="UnauthorizedAccessException">A folder in it may not be read.</exception>
    public static FolderFiles Of(string root) => Of(root, new StatePaths(null));

    /// <summary>Lists what of a folder is a task's state; what goes away meanwhile is not there.</summary>
    /// <param name="root">The folder, without links in its path.</param>
    /// <param name="state">What is.</param>
    /// <exception cref="UnauthorizedAccessException">A folder in it may not be read.</exception>
    public static FolderFiles Of(string root, StatePaths state)
    {
        List<FileMark> files = [];
        List<string> leftOut = [];
        Collect(new Place(root, "", 0, state), files, leftOut);
        return new FolderFiles([.. files.OrderBy(file => file.RelativePath, StringComparer.Ordinal)], leftOut);
    }

    /// <summary>A single file, or a link that leads to what is below the folder; null when it is neither.</summary>
    /// <param name="root">The folder, without links in its path.</param>
    /// <param name="path">Its path below the folder.</param>
    public static FileMark? Look(string root, string path)
    {
        string full = Path.Combine(root, path);
        return Look(full) switch
        {
            { Kind: FileKind.File } status when MayRead(full, status) => new FileMark(path, status),
            { Kind: FileKind.Link } status when LinkOf(root, path, out _) is { } link => new FileMark(path, status, link),
            _ => null,
        };
    }

    /// <summary>Whether it is a folder, and no link to one.</summary>
    public static bool IsFolder(string path) => Look(path) is { Kind: FileKind.Directory };

    private static void Collect(Place folder, List<FileMark> files, List<string> leftOut)
    {
        foreach (string name in NamesIn(folder))
        {
            string path = folder.Prefix + name;
            string full = folder.Root + "/" + path;
            if (TemporaryNames.IsTemporary(name) || Look(full) is not { } status)
            {
                continue;
            }

            switch (status.Kind)
            {
                case FileKind.Directory when folder.Depth < MaxDepth:
                    Collect(folder with { Prefix = path + "/", Depth = folder.Depth + 1 }, files, leftOut);
                    break;
                case FileKind.Directory when folder.State.Include(path):
                    leftOut.Add($"'{path}' is left out of the checkpoints: folders are looked at {MaxDepth} deep");
                    break;
                case FileKind.File when folder.State.Include(path) && MayRead(full, status):
                    files.Add(new FileMark(path, status));
                    break;
                case FileKind.File when folder.State.Include(path):
                    leftOut.Add($"'{path}' is left out of the checkpoints: it may not be read (mode {Convert.ToString(status.Mode, 8)})");
                    break;
                case FileKind.Link when folder.State.Include(path):
                    if (LinkOf(folder.Root, path, out string problem) is { } link)
                    {
                        files.Add(new FileMark(path, status, link));
                    }
                    else
                    {
                        leftOut.Add($"'{path}' is left out of the checkpoints: it is a link {problem}");
                    }

                    break;
            }
        }
    }

    /// <summary>Files and links below a sub-folder; nothing when it is gone.</summary>
    /// <param name="root">The folder, without links in its path.</param>
    /// <param name="folder">The sub-folder's path below it; empty: the folder itself.</param>
    public static IReadOnlyList<FileMark> Below(string root, string folder)
    {
        List<FileMark> files = [];
        string prefix = folder.Length == 0 ? "" : folder + "/";
        Collect(new Place(root, prefix, prefix.Count(c => c == '/'), new StatePaths(null)), files, []);
        return files;
    }

    /// <summary>Most files may be read by all.</summary>
    private static bool MayRead(string path, FileStatus status)
    {
        const int ByAll = 0b100_100_100;
        return (status.Mode & ByAll) == ByAll || NativeFiles.MayRead(path);
    }

    private static IReadOnlyList<string> NamesIn(Place folder)
    {
        try
        {
            return NativeFiles.In(folder.Root + "/" + folder.Prefix);
        }
        catch (Exception e) when (folder.Depth > 0 && e is DirectoryNotFoundException or FileNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Where a link leads, relative to its own place; null when no checkpoint can have it.</summary>
    private static string? LinkOf(string root, string path, out string problem)
    {
        string? target = NativeFiles.LinkTarget(Path.Combine(root, path));
        if (target is not null && (NativeNames.IsNative(path) || NativeNames.IsNative(target)))
        {
            problem = "with a name that is not UTF-8";
            return null;
        }

        problem = $"to '{target}', outside the checkpoint folder";
        return target is null ? null : Inside(root, path, target);
    }

    private static FileStatus? Look(string path)
    {
        try
        {
            return FileStatus.ReadNative(path);
        }
        catch (IOException)
        {
            // Gone meanwhile.
            return null;
        }
    }

    /// <summary>Where a link leads, from its own place, without a way out of the folder; null when it leads out.</summary>
    private static string? Inside(string root, string path, string target)
    {
        string place = Path.GetDirectoryName(Path.Combine(root, path))!;
        string full = Path.GetFullPath(target, place);
        if (Path.IsPathRooted(target) && !IsBelow(root, full) && RealFolder(full) is { } real)
        {
            full = real;
        }

        string relative = Path.GetRelativePath(place, full);
        return EntryPath.LeadsInside(path, relative) ? relative : null;
    }

    private static bool IsBelow(string root, string path) => path == root || path.StartsWith(root + "/", StringComparison.Ordinal);

    /// <summary>The script knows the folder by a path that may have links in it.</summary>
    private static string? RealFolder(string path) =>
        OperatingSystem.IsWindows() || Path.GetDirectoryName(path) is not { } folder || Posix.RealPath(folder) is not { } real
            ? null
            : Path.Combine(real, Path.GetFileName(path));

    private readonly record struct Place(string Root, string Prefix, int Depth, StatePaths State);
}
