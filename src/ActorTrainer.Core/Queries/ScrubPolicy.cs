namespace ActorTrainer.Core.Queries;

/// <summary>
/// Which checkpoints are read back in the background: each that is kept, once in a while. Of a task whose checkpoints are replaced sooner
/// than that it is the newest one, once in a while.
/// </summary>
public static class ScrubPolicy
{
    /// <summary>Those of a task that are due, newest first. Damaged ones are not read again.</summary>
    /// <param name="newestFirst">All of the task's checkpoints.</param>
    /// <param name="now">Now, UTC.</param>
    /// <param name="every">How long one that was saved or read back counts as whole.</param>
    /// <param name="knownSince">
    /// Since when the task is looked at: the newest is due that long after it, if none was read back meanwhile.
    /// </param>
    public static IReadOnlyList<CheckpointListing> Due(
        IReadOnlyList<CheckpointListing> newestFirst,
        DateTimeOffset now,
        TimeSpan every,
        DateTimeOffset knownSince
    )
    {
        List<CheckpointListing> due = [];
        DateTimeOffset looked = newestFirst.Select(c => c.VerifiedAt ?? knownSince).Append(knownSince).Max();
        bool isFirst = true;
        foreach (CheckpointListing listing in newestFirst.Where(c => !c.Damaged))
        {
            if (now - LastSeenWhole(listing) >= every || (isFirst && now - looked >= every))
            {
                due.Add(listing);
            }

            isFirst = false;
        }

        return due;
    }

    /// <summary>Those that share a pack with a damaged checkpoint, newest first: most likely it is a chunk of that pack.</summary>
    /// <param name="newestFirst">All of the task's checkpoints.</param>
    /// <param name="damaged">Names of those that are known to be damaged.</param>
    public static IReadOnlyList<CheckpointListing> Suspects(
        IReadOnlyList<CheckpointListing> newestFirst,
        IReadOnlyCollection<string> damaged
    )
    {
        HashSet<string> packs = [.. newestFirst.Where(c => damaged.Contains(c.Checkpoint.Name)).SelectMany(c => c.Checkpoint.Packs)];
        return [.. newestFirst.Where(c => !c.Damaged && packs.Overlaps(c.Checkpoint.Packs))];
    }

    private static DateTimeOffset LastSeenWhole(CheckpointListing listing)
    {
        DateTimeOffset saved = listing.Checkpoint.SavedAt ?? listing.Time;
        return listing.VerifiedAt is { } verified && verified > saved ? verified : saved;
    }
}
