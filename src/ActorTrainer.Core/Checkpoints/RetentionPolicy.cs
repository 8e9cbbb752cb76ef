using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>A listed checkpoint as retention sees it.</summary>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="Damaged">It could not be read back.</param>
/// <param name="Overtaken">A dead branch: the task was restarted from an older one after it. Never restored.</param>
/// <param name="Pinned">Kept by the user's wish: pinned, or tagged.</param>
public sealed record RetentionItem(CheckpointRef Checkpoint, bool Damaged = false, bool Overtaken = false, bool Pinned = false);

/// <summary>A checkpoint that leaves the list. <paramref name="Reason"/> is <c>keep-last</c>, <c>damaged</c>, <c>overtaken</c>
/// or <c>removed</c> (by the user).</summary>
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
    /// one), pinned ones, the <see cref="CheckpointSpec.KeepBest"/> best good ones, the first good one of each
    /// <see cref="CheckpointSpec.KeepEvery"/> and <see cref="CheckpointSpec.KeepEverySteps"/>, and those protected by name. A damaged one
    /// stays until a good one newer than it exists, so nothing that a person might still rescue is deleted while it is the newest.
    /// </summary>
    /// <param name="newestFirst">The listed checkpoints, newest first.</param>
    /// <param name="spec">How many of which are kept.</param>
    /// <param name="protectedNames">
    /// Names that must stay: the checkpoint being restored or last restored from, and every one that a running save may reference.
    /// </param>
    public static RetentionPlan Plan(
        IReadOnlyList<RetentionItem> newestFirst,
        CheckpointSpec spec,
        IReadOnlyCollection<string> protectedNames
    )
    {
        HashSet<string> chosen = [.. Chosen(newestFirst, spec)];
        int keepLast = Math.Max(1, spec.KeepLast);
        int good = 0;
        List<CheckpointRemoval> remove = [];
        foreach (RetentionItem item in newestFirst)
        {
            bool isGood = !item.Damaged && !item.Overtaken;
            string? reason =
                isGood ? (good++ < keepLast ? null : "keep-last")
                : good == 0 ? null
                : item.Damaged ? "damaged"
                : "overtaken";
            if (
                reason is not null
                && !item.Pinned
                && !chosen.Contains(item.Checkpoint.Name)
                && !protectedNames.Contains(item.Checkpoint.Name)
            )
            {
                remove.Add(new CheckpointRemoval(item.Checkpoint.Name, reason));
            }
        }

        return Removing(newestFirst, remove);
    }

    /// <summary>Plans the removal of checkpoints that the user named. Whether they may go is not asked here.</summary>
    /// <param name="newestFirst">The listed checkpoints, newest first.</param>
    /// <param name="names">Those to remove; others than the listed ones are passed over.</param>
    public static RetentionPlan PlanRemoval(IReadOnlyList<RetentionItem> newestFirst, IReadOnlyCollection<string> names) =>
        Removing(
            newestFirst,
            [
                .. newestFirst
                    .Where(item => names.Contains(item.Checkpoint.Name))
                    .Select(item => new CheckpointRemoval(item.Checkpoint.Name, "removed")),
            ]
        );

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

    private static RetentionPlan Removing(IReadOnlyList<RetentionItem> listed, List<CheckpointRemoval> remove)
    {
        if (remove.Count == 0)
        {
            return RetentionPlan.Empty;
        }

        HashSet<string> removed = [.. remove.Select(removal => removal.Checkpoint)];
        SortedSet<string> condemn = new(StringComparer.Ordinal);
        HashSet<string> referenced = new(StringComparer.Ordinal);
        foreach (RetentionItem item in listed)
        {
            ISet<string> files = removed.Contains(item.Checkpoint.Name) ? condemn : referenced;
            files.UnionWith(item.Checkpoint.Packs);
            files.Add(CheckpointNames.ManifestFile(item.Checkpoint.Name));
        }

        condemn.ExceptWith(referenced);
        return new RetentionPlan(remove, [.. condemn]);
    }

    /// <summary>The names of good ones that stay however old they are.</summary>
    private static IEnumerable<string> Chosen(IReadOnlyList<RetentionItem> newestFirst, CheckpointSpec spec)
    {
        List<CheckpointRef> oldestFirst = [.. newestFirst.Where(i => !i.Damaged && !i.Overtaken).Select(i => i.Checkpoint).Reverse()];
        IEnumerable<CheckpointRef> bySteps = spec.KeepEverySteps is long steps and > 0 ? FirstOfEach(oldestFirst, c => c.Step / steps) : [];
        IEnumerable<CheckpointRef> byTime = spec.KeepEvery is { Ticks: > 0 and long ticks }
            ? FirstOfEach(oldestFirst, c => c.SavedAt?.UtcTicks / ticks)
            : [];
        return Best(oldestFirst, spec).Concat(bySteps).Concat(byTime).Select(c => c.Name);
    }

    /// <summary>
    /// The best by the metric. Of equals the older one: it was better than ever when it was taken. Not-a-number is never among them.
    /// </summary>
    private static IEnumerable<CheckpointRef> Best(List<CheckpointRef> oldestFirst, CheckpointSpec spec)
    {
        if (spec.BestMetric is not { } metric)
        {
            return [];
        }

        IEnumerable<CheckpointRef> valued = oldestFirst.Where(c => !double.IsNaN(c.Metrics.GetValueOrDefault(metric, double.NaN)));
        return (spec.BestIsLargest ? valued.OrderByDescending(c => c.Metrics[metric]) : valued.OrderBy(c => c.Metrics[metric])).Take(
            spec.KeepsBest()
        );
    }

    /// <summary>The first of each span: one that was chosen once is the first for as long as it is there.</summary>
    private static IEnumerable<CheckpointRef> FirstOfEach(List<CheckpointRef> oldestFirst, Func<CheckpointRef, long?> spanOf)
    {
        HashSet<long> seen = [];
        return [.. oldestFirst.Where(checkpoint => spanOf(checkpoint) is long span && seen.Add(span))];
    }
}
