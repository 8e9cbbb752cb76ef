using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Walks a folder for what is to be bundled.</summary>
internal sealed class BundleTree(string root, TaskSpec spec)
{
    private const int NamesShown = 5;
    private const string State = "state";
    private const int OwnerMayExecute = 0b001_000_000;

    private static readonly string[] NeverBundled = [".git", "__pycache__", ".venv", "node_modules", NodeModelReader.DefaultFolder];

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    private readonly PathGlob[] _state = [.. spec.State.Select(PathGlob.Plain)];
    private readonly List<SourceFile> _found = [];
    private readonly List<LeftOut> _leftOut = [];
    private readonly List<(string Path, string Target)> _outside = [];

    /// <summary>The files and links, in the order of the bundle.</summary>
    public IReadOnlyList<SourceFile> Found => _found;

    public IReadOnlyList<LeftOut> LeftOut => _leftOut;

    public static bool IsExecutable(FileStatus status) => (status.Mode & OwnerMayExecute) != 0;

    /// <exception cref="IOException">Something cannot be looked at.</exception>
    /// <exception cref="BundleException">A name cannot be bundled.</exception>
    public void Collect(CancellationToken cancellationToken)
    {
        Collect(new DirectoryInfo(root), "", IgnoreRules.In(root, "", null), cancellationToken);
        _found.Sort((a, b) => PathOrder.Instance.Compare(a.Path, b.Path));
        _leftOut.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
    }

    /// <exception cref="BundleException">There is nothing, too much, or a link that leads out.</exception>
    public void Check(long limit)
    {
        if (_outside.Count > 0)
        {
            throw new BundleException(
                $"'{root}' has links out of it: {Names(_outside.Select(link => $"{link.Path} to {link.Target}"))}. "
                    + "Name them in links, so that "
                    + "runs have such links too (--link NAME), or leave them out "
                    + $"by {IgnoreRules.FileNames[1]}."
            );
        }

        long bytes = _found.Sum(file => file.Length);
        if (bytes > limit || _found.Count > BundleSpec.MaxFiles)
        {
            string what =
                bytes > limit
                    ? $"{SizeText.Of(bytes)}, and a bundle may have {SizeText.Of(limit)} (--bundle-limit, bundle-limit)"
                    : FormattableString.Invariant($"more than {BundleSpec.MaxFiles} files, which is the most that a bundle may have");
            throw new BundleException(
                $"'{root}' has {what}. The largest in it: {Largest()}. Leave out what runs do not need by {IgnoreRules.FileNames[1]}, "
                    + "name data that is on all nodes in links (--link NAME), or let the command read it by its full path."
            )
            {
                TooLarge = true,
            };
        }

        if (_found.Count == 0)
        {
            throw new BundleException(Nothing());
        }
    }

    private string Nothing()
    {
        string[] state = [.. _leftOut.Where(left => left.By == State).Select(left => left.Path)];
        return state.Length > 0
                ? $"There is nothing to bundle in '{root}': state leaves out {Names(state)}. Name in state only what the script saves "
                    + "(for example --state checkpoints), not the script itself."
            : _leftOut.Count > 0 ? $"There is nothing to bundle in '{root}' beside what is left out."
            : $"There is nothing to bundle in '{root}'.";
    }

    private void Collect(DirectoryInfo folder, string prefix, IgnoreRules? rules, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (FileSystemInfo info in folder.EnumerateFileSystemInfos("*", Everything))
        {
            string path = prefix + info.Name;
            FileStatus status = FileStatus.Read(info.FullName);
            bool isFolder = status.Kind == FileKind.Directory;
            if (Excluding(path, info.Name, isFolder, rules) is { } by)
            {
                _leftOut.Add(new LeftOut(isFolder ? path + "/" : path, by));
                continue;
            }

            if (isFolder)
            {
                Collect(new DirectoryInfo(info.FullName), path + "/", IgnoreRules.In(info.FullName, path + "/", rules), cancellationToken);
            }
            else
            {
                Add(path, info, status);
            }

            if (_found.Count > BundleSpec.MaxFiles)
            {
                return;
            }
        }
    }

    private string? Excluding(string path, string name, bool isFolder, IgnoreRules? rules) =>
        spec.Links.ContainsKey(path) ? "links"
        : NeverBundled.Contains(name) ? BundleListing.Always
        : _state.Any(pattern => pattern.Matches(path)) ? State
        : rules?.Excluding(path, isFolder);

    private void Add(string path, FileSystemInfo info, FileStatus status)
    {
        if (!EntryPath.IsSafe(path))
        {
            throw new BundleException($"'{info.FullName}' has a name that cannot be bundled. Rename it.");
        }

        switch (status.Kind)
        {
            case FileKind.File:
                _found.Add(new SourceFile(path, info.FullName, status));
                break;
            case FileKind.Link when InsideText(info) is { } inside && EntryPath.LeadsInside(path, inside):
                _found.Add(new SourceFile(path, info.FullName, status, inside));
                break;
            case FileKind.Link:
                _outside.Add((path, info.LinkTarget ?? "?"));
                break;
            default:
                // A pipe or socket is of the processes that use it, not of the code.
                break;
        }
    }

    /// <summary>Where a link leads as a text that holds anywhere: relative, with its way up at the beginning.</summary>
    private string? InsideText(FileSystemInfo info)
    {
        if (info.LinkTarget is not { } target)
        {
            return null;
        }

        string folder = Path.GetDirectoryName(info.FullName)!;
        string full = Path.GetFullPath(target, folder);
        return full == root || full.StartsWith(root + "/", StringComparison.Ordinal) ? Path.GetRelativePath(folder, full) : null;
    }

    private string Largest()
    {
        IEnumerable<(string Path, long Bytes)> folders = _found
            .Where(file => file.Path.Contains('/', StringComparison.Ordinal))
            .GroupBy(file => file.Path[..(file.Path.IndexOf('/', StringComparison.Ordinal) + 1)])
            .Select(group => (group.Key, group.Sum(file => file.Length)));
        return Names(
            folders
                .Concat(_found.Select(file => (file.Path, file.Length)))
                .OrderByDescending(entry => entry.Item2)
                .ThenBy(entry => entry.Item1, StringComparer.Ordinal)
                .Take(NamesShown)
                .Select(entry => $"{entry.Item1} ({SizeText.Of(entry.Item2)})")
        );
    }

    private static string Names(IEnumerable<string> names)
    {
        string[] all = [.. names];
        string shown = string.Join(", ", all.Take(NamesShown));
        return all.Length > NamesShown ? FormattableString.Invariant($"{shown} and {all.Length - NamesShown} more") : shown;
    }
}
