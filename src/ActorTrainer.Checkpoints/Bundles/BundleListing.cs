using System.Security.Cryptography;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Something below a bundled folder that is not in the bundle.</summary>
/// <param name="Path">Relative, with a slash at its end when it is a folder.</param>
/// <param name="By">By what: the name of an ignore file, <c>links</c>, <c>state</c>, or <see cref="BundleListing.Always"/>.</param>
public sealed record LeftOut(string Path, string By);

/// <summary>The files of a folder that are to be a bundle.</summary>
public sealed class BundleListing
{
    /// <summary>By what <see cref="LeftOut"/> says that names such as <c>.git</c> are left out of every bundle.</summary>
    public const string Always = "default";

    private readonly IReadOnlyList<BundleEntry> _entries;

    private BundleListing(
        string folder,
        BundleSpec bundle,
        IReadOnlyDictionary<string, string> links,
        IReadOnlyList<LeftOut> leftOut,
        IReadOnlyList<BundleEntry> entries
    )
    {
        Folder = folder;
        Bundle = bundle;
        Links = links;
        LeftOut = leftOut;
        _entries = entries;
    }

    /// <summary>The folder, absolute.</summary>
    public string Folder { get; }

    /// <summary>Hash, size and number of its files.</summary>
    public BundleSpec Bundle { get; }

    /// <summary>
    /// The task's links. One that leads to the entry of its own name in the folder, which is a link itself, leads to where that one does.
    /// </summary>
    public IReadOnlyDictionary<string, string> Links { get; }

    /// <summary>What is left out, sorted by path; what is in a folder that is left out is not named.</summary>
    public IReadOnlyList<LeftOut> LeftOut { get; }

    /// <summary>Lists and hashes what is below a folder.</summary>
    /// <param name="source">The folder, and how large its files may be together.</param>
    /// <param name="spec">Its links and its state are left out.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="BundleException">The folder is not there, holds nothing, too much, or a link out of it, or a file cannot be
    /// read.</exception>
    public static BundleListing Read(BundleSource source, TaskSpec spec, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(spec);
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(source.Folder));
        if (!Directory.Exists(root))
        {
            throw new BundleException(
                File.Exists(root)
                    ? $"'{root}' is a file; a bundle is a folder: name the folder that it is in."
                    : $"The folder to be bundled, '{root}', does not exist."
            );
        }

        BundleTree tree = new(root, spec);
        try
        {
            tree.Collect(cancellationToken);
            tree.Check(source.LimitBytes);
            IReadOnlyDictionary<string, string> links = ResolveLinks(root, spec.Links);
            (BundleSpec bundle, IReadOnlyList<BundleEntry> entries) = Hash(root, tree.Found, cancellationToken);
            return new BundleListing(root, bundle, links, tree.LeftOut, entries);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw new BundleException(
                $"'{root}' cannot be bundled: {e.Message.TrimEnd('.')}. Make it readable, or leave it out by a line in "
                    + $"{root}/{IgnoreRules.FileNames[1]}.",
                e
            );
        }
    }

    /// <summary>Writes the archive that a cluster keeps. A file that changes meanwhile makes it one that no cluster takes.</summary>
    /// <param name="target">Left open.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="BundleException">A file is not there any more.</exception>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public Task WriteAsync(Stream target, CancellationToken cancellationToken = default) =>
        BundleArchive.WriteAsync(Folder, _entries, target, cancellationToken);

    /// <summary>What the bundle has at a relative path: whether it is an executable file or a link; null: nothing.</summary>
    public bool? IsExecutable(string path) =>
        _entries.FirstOrDefault(entry => entry.Path == path) is { Path: not null } found
            ? found.Executable || found.Link is not null
            : null;

    private static (BundleSpec Bundle, IReadOnlyList<BundleEntry> Entries) Hash(
        string root,
        IReadOnlyList<SourceFile> files,
        CancellationToken cancellationToken
    )
    {
        using BundleHash hash = new();
        List<BundleEntry> entries = new(files.Count);
        long bytes = 0;
        foreach (SourceFile file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string content = "";
            if (file.Link is null)
            {
                using FileStream stream = File.OpenRead(Path.Combine(root, file.Path));
                content = Convert.ToHexStringLower(SHA256.HashData(stream));
                bytes += stream.Length;
            }

            BundleEntry entry = new(file.Path, file.Link, file.Link is null && BundleTree.IsExecutable(file.Status), content);
            hash.Add(entry);
            entries.Add(entry);
        }

        return (new BundleSpec(hash.Finish(), bytes, entries.Count), entries);
    }

    private static SortedDictionary<string, string> ResolveLinks(string root, IReadOnlyDictionary<string, string> links)
    {
        SortedDictionary<string, string> resolved = new(StringComparer.Ordinal);
        foreach ((string name, string target) in links)
        {
            string here = Path.Combine(root, name);
            if (target != here)
            {
                resolved[name] = target;
                continue;
            }

            if (!Path.Exists(here))
            {
                throw new BundleException(
                    $"links: '{name}' is to lead to '{here}', where nothing is. Make it, or say where it leads: \"{name}=/full/path\"."
                );
            }

            resolved[name] = File.ResolveLinkTarget(here, returnFinalTarget: true)?.FullName ?? here;
        }

        return resolved;
    }
}
