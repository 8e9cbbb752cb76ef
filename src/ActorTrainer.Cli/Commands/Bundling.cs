using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Cli.Output;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Packs the folder that a task brings along, says so, and gives it to the cluster unless that has it.</summary>
internal static class Bundling
{
    private const int NamesShown = 5;
    private const string State = "state";

    private static readonly string[] Reasons = [".gitignore", ".actortrainerignore", State, "links", BundleListing.Always];

    /// <summary>The specification, with its bundle when it has one.</summary>
    /// <exception cref="BundleException">The folder cannot be bundled.</exception>
    public static async Task<TaskSpec> BringAsync(Invocation call, TaskDraft draft)
    {
        if (draft.Bundle is not { } source)
        {
            return draft.Spec;
        }

        BundleListing listing = await Task.Run(() => BundleListing.Read(source, draft.Spec, call.Interrupt), call.Interrupt);
        CheckExecutable(draft.Spec, listing);
        CheckRequirements(draft.Spec, listing);
        BundleSpec bundle = listing.Bundle;
        call.Note(
            $"bundled {Files(bundle)}, {Human.Bytes(bundle.Bytes)} from {listing.Folder} "
                + $"(hash {bundle.ShortHash}…{LeftOut(listing.LeftOut)})"
        );
        SayWhatStays(call, draft.Spec, listing);
        if (!await Submission.PatientlyAsync(call, () => call.Client.HasBundleAsync(bundle.Hash, call.Interrupt)))
        {
            _ = await Submission.PatientlyAsync(call, () => call.Client.UploadBundleAsync(bundle.Hash, listing.WriteAsync, call.Interrupt));
        }

        return draft.Spec with
        {
            Bundle = bundle,
            Links = listing.Links,
        };
    }

    /// <summary>
    /// Whoever tried a script here has what it saved in its folder. That a task begins without it is to be known before it has computed
    /// all of that again.
    /// </summary>
    private static void SayWhatStays(Invocation call, TaskSpec spec, BundleListing listing)
    {
        string[] there =
        [
            .. listing
                .LeftOut.Where(left => left.By == State && !IsLinked(left.Path) && HasFiles(listing.Folder, left.Path))
                .Select(left => left.Path),
        ];
        if (there.Length > 0 && spec.FromCheckpoint is null)
        {
            string which = Names([.. there.Select(path => $"'{path}'")]);
            string seed = Path.Combine(listing.Folder, there[0].TrimEnd('/'));
            call.Note(
                $"{which} {(there.Length == 1 ? "is there already and does" : "are there already and do")} "
                    + $"not travel: the task starts from nothing. To start from it, add --link seed={seed} and let the command copy seed "
                    + "where nothing is restored (docs/existing-scripts.md)"
            );
        }

        // Whoever links to it has read how it is done.
        bool IsLinked(string path) =>
            spec.Links.Values.Any(target => $"{listing.Folder}/{path}/".StartsWith(target.TrimEnd('/') + "/", StringComparison.Ordinal));
    }

    private static bool HasFiles(string root, string path) =>
        !path.EndsWith('/')
        || Directory
            .EnumerateFiles(
                Path.Combine(root, path),
                "*",
                new EnumerationOptions
                {
                    RecurseSubdirectories = true,
                    AttributesToSkip = 0,
                    IgnoreInaccessible = true,
                }
            )
            .Any();

    /// <summary>For people: <c>14 files, 52 KiB, hash 1a2b3c4d5e6f</c>.</summary>
    public static string Describe(BundleSpec bundle) => $"{Files(bundle)}, {Human.Bytes(bundle.Bytes)}, hash {bundle.ShortHash}";

    private static string Files(BundleSpec bundle) => bundle.Files == 1 ? "1 file" : $"{Human.Number(bundle.Files)} files";

    private static void CheckRequirements(TaskSpec spec, BundleListing listing)
    {
        if (
            spec.NodeEnvironment?.Requirements is { } file
            && !Path.IsPathRooted(file)
            && listing.IsExecutable(file) is null
            && !spec.Links.Keys.Any(link => file == link || file.StartsWith(link + "/", StringComparison.Ordinal))
        )
        {
            throw new BundleException(
                Directory.Exists(Path.Combine(listing.Folder, file))
                    ? $"The requirements '{file}' are a folder in '{listing.Folder}'; name the file in it."
                    : $"The requirements '{file}' are not in the bundle of '{listing.Folder}'; "
                        + "name a file that is, or its full path on the nodes."
            );
        }
    }

    private static void CheckExecutable(TaskSpec spec, BundleListing listing)
    {
        string name = spec.Command![0];
        if (!name.Contains('/', StringComparison.Ordinal) || Path.IsPathRooted(name))
        {
            return;
        }

        // Below a link it is the node's to look.
        string path = Path.GetRelativePath(listing.Folder, Path.GetFullPath(name, listing.Folder));
        bool linked = spec.Links.Keys.Any(link => path == link || path.StartsWith(link + "/", StringComparison.Ordinal));
        if (!linked && listing.IsExecutable(path) != true)
        {
            throw new BundleException(
                listing.IsExecutable(path) is null
                    ? $"The command's executable '{name}' is not in the bundle of '{listing.Folder}'; name one that is, or its full path."
                    : $"'{name}' in '{listing.Folder}' is not executable: chmod +x it, or name its interpreter first."
            );
        }
    }

    private static string LeftOut(IReadOnlyList<LeftOut> leftOut)
    {
        IEnumerable<string> groups = leftOut
            .GroupBy(left => left.By)
            .OrderBy(group => Array.IndexOf(Reasons, group.Key))
            .Select(group => $"by {group.Key}: {Names([.. group.Select(left => left.Path)])}");
        return leftOut.Count == 0 ? "" : $"; left out {string.Join("; ", groups)}";
    }

    private static string Names(string[] names)
    {
        string shown = string.Join(", ", names.Take(NamesShown));
        return names.Length > NamesShown ? $"{shown}, … ({Human.Number(names.Length)} in all)" : shown;
    }
}
