using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>A listed checkpoint as retention sees it.</summary>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="Damaged">It could not be read back.</param>
/// <param name="Overtaken">A dead branch: the task was restarted from an older one after it. Never restored.</param>
/// <param name="Pinned">Kept by the user's wish.</param>
public sealed record RetentionItem(CheckpointRef Checkpoint, bool Damaged = false, bool Overtaken = false, bool Pinned = false);

/// <summary>A checkpoint that leaves the list. <paramref name="Reason"/> is <c>keep-last</c>, <c>damaged</c> or <c>overtaken</c>.</summary>
public sealed record CheckpointRemoval(string Checkpoint, string Reason);

/// <summary>What to remove.</summary>
/// <param name="Remove">Checkpoints that leave the list, newest first.</param>
/// <param name="Condemn">
/// Files that nobody references any more once those are gone: their manifests, and packs that no kept checkpoint references. Sorted;
/// names as the store's list and unlink use them.
/// </param>
public sealed record RetentionPlan(IReadOnlyList<CheckpointRemoval> Remove, IReadOnlyList<string> Condemn)
{
    /// <summary>Nothing to do.</summary>
    public static RetentionPlan Empty { get; } = new([], []);

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => Remove.Count == 0 && Condemn.Count == 0;
}

/// <summary>Which checkpoints are kept. A plan only; the owner journals it and then unlinks.</summary>
public static class RetentionPolicy
{
    /// <summary>
    /// Plans the removals. Kept are: the newest <see cref="CheckpointSpec.KeepLast"/> good ones (neither damaged nor overtaken, at least
    /// one), pinned ones, the best by <see cref="CheckpointSpec.BestMetric"/>, and those protected by name. A damaged one stays until a
    /// good one newer than it exists, so nothing that a person might still rescue is deleted while it is the newest.
    /// </summary>
    /// <param name="newestFirst">The listed checkpoints, newest first.</param>
    /// <param name="spec">Keep-last and the best metric.</param>
    /// <param name="protectedNames">
    /// Names that must stay: the checkpoint being restored or last restored from, and every one that a running save may reference.
    /// </param>
    public static RetentionPlan Plan(
        IReadOnlyList<RetentionItem> newestFirst,
        CheckpointSpec spec,
        IReadOnlyCollection<string> protectedNames
    )
    {
        RetentionItem? best = FindBest(newestFirst, spec);
        int keepLast = Math.Max(1, spec.KeepLast);
        int good = 0;
        List<CheckpointRemoval> remove = [];
        List<CheckpointRef> removed = [];
        HashSet<string> referenced = new(StringComparer.Ordinal);
        foreach (RetentionItem item in newestFirst)
        {
            bool isGood = !item.Damaged && !item.Overtaken;
            string? reason =
                isGood ? (good++ < keepLast ? null : "keep-last")
                : good == 0 ? null
                : item.Damaged ? "damaged"
                : "overtaken";
            if (reason is null || item.Pinned || ReferenceEquals(item, best) || protectedNames.Contains(item.Checkpoint.Name))
            {
                referenced.UnionWith(item.Checkpoint.Packs);
                referenced.Add(CheckpointNames.ManifestFile(item.Checkpoint.Name));
            }
            else
            {
                remove.Add(new CheckpointRemoval(item.Checkpoint.Name, reason));
                removed.Add(item.Checkpoint);
            }
        }

        if (remove.Count == 0)
        {
            return RetentionPlan.Empty;
        }

        SortedSet<string> condemn = new(StringComparer.Ordinal);
        foreach (CheckpointRef checkpoint in removed)
        {
            condemn.Add(CheckpointNames.ManifestFile(checkpoint.Name));
            condemn.UnionWith(checkpoint.Packs);
        }

        condemn.ExceptWith(referenced);
        return new RetentionPlan(remove, [.. condemn]);
    }

    /// <summary>
    /// Files of earlier terms that no listed checkpoint names: what saves left behind that never came to an accepted event. A file of
    /// <paramref name="term"/> or later may belong to a save under way and stays; so does whatever does not look like a store's file.
    /// </summary>
    /// <param name="files">The task's files in the store.</param>
    /// <param name="listed">Every listed checkpoint, damaged and overtaken ones too.</param>
    /// <param name="term">The owner's term.</param>
    /// <returns>Sorted names.</returns>
    public static IReadOnlyList<string> PlanGarbage(IReadOnlyList<string> files, IReadOnlyList<CheckpointRef> listed, long term)
    {
        HashSet<string> named = new(StringComparer.Ordinal);
        foreach (CheckpointRef checkpoint in listed)
        {
            named.Add(CheckpointNames.ManifestFile(checkpoint.Name));
            named.UnionWith(checkpoint.Packs);
        }

        SortedSet<string> garbage = new(StringComparer.Ordinal);
        foreach (string file in files)
        {
            if (CheckpointNames.TryParseFile(file, out long fileTerm) && fileTerm < term && !named.Contains(file))
            {
                garbage.Add(file);
            }
        }

        return [.. garbage];
    }

    /// <summary>
    /// The checkpoints whose chunks a new save may reference, newest first: not damaged, and sharing no pack with a damaged one, so that
    /// damage is not inherited.
    /// </summary>
    /// <param name="newestFirst">The listed checkpoints, newest first.</param>
    /// <param name="limit">How many at most; more make a save read more manifests and find hardly more chunks. Default 3.</param>
    public static IReadOnlyList<CheckpointRef> ChunkSources(IReadOnlyList<RetentionItem> newestFirst, int limit = 3)
    {
        HashSet<string> suspect = new(StringComparer.Ordinal);
        foreach (RetentionItem item in newestFirst)
        {
            if (item.Damaged)
            {
                suspect.UnionWith(item.Checkpoint.Packs);
            }
        }

        List<CheckpointRef> sources = [];
        foreach (RetentionItem item in newestFirst)
        {
            if (sources.Count < limit && !item.Damaged && !suspect.Overlaps(item.Checkpoint.Packs))
            {
                sources.Add(item.Checkpoint);
            }
        }

        return sources;
    }

    private static RetentionItem? FindBest(IReadOnlyList<RetentionItem> newestFirst, CheckpointSpec spec)
    {
        if (spec.BestMetric is not { } metric)
        {
            return null;
        }

        RetentionItem? best = null;
        double? bestValue = null;
        for (int i = newestFirst.Count - 1; i >= 0; i--)
        {
            RetentionItem item = newestFirst[i];
            if (
                !item.Damaged
                && !item.Overtaken
                && item.Checkpoint.Metrics.TryGetValue(metric, out double value)
                && CheckpointPolicy.IsBetter(spec, value, bestValue)
            )
            {
                best = item;
                bestValue = value;
            }
        }

        return best;
    }
}
