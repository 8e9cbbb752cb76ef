using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>What must hold after a fault.</summary>
internal static class FaultCheck
{
    /// <summary>Everything that is committed is there, the next save works, and the next collection leaves nothing over.</summary>
    /// <returns>The next save's checkpoint.</returns>
    public static async Task<Saved> RestartAsync(FaultScenario scenario, FaultWorld world, FaultLedger ledger, IReadOnlyList<Saved> listed)
    {
        await using TieredStore? tiered = scenario.IsTiered ? world.OpenTiered() : null;
        ICheckpointStore store = tiered is null ? world.Folder : tiered;
        foreach (Saved saved in listed)
        {
            (await world.ComesBackAsync(store, saved)).ShouldBeTrue($"{saved.Checkpoint.Name} was committed");
        }

        foreach (Saved saved in (ledger.Removed ?? []).Concat(ledger.Made is { } made && !listed.Contains(made) ? [made] : []))
        {
            // There or said to be damaged; that it is not different is looked at on the way.
            _ = await world.ComesBackAsync(store, saved, mayBeAway: listed.Count == 0);
        }

        Saved next = await world.SaveAsync(store, 9, term: 2, [.. listed.Where(saved => saved.Task == world.Task)]);
        Saved[] all = [next, .. listed];
        foreach (TaskId task in (TaskId[])[world.Task, world.Other])
        {
            await FaultWorld.CollectAsync(store, task, term: 3, all);
        }

        if (tiered is not null)
        {
            await tiered.DrainAsync(CancellationToken.None);
            tiered.Backlog.ShouldBe(0);
            await ShouldHaveOnlyAsync(world.Remote, world, all);
            foreach (Saved saved in all)
            {
                (await world.ComesBackAsync(world.Remote, saved)).ShouldBeTrue($"{saved.Checkpoint.Name} was copied");
            }
        }

        await ShouldHaveOnlyAsync(store, world, all);
        (await world.ComesBackAsync(store, next)).ShouldBeTrue("the next save");
        StrayFiles(world.Root).ShouldBeEmpty();
        return next;
    }

    /// <summary>The power is cut after that: only what was promised is left, and all of what was committed.</summary>
    public static async Task PowerCutAsync(FaultScenario scenario, FaultWorld before, FaultWorld after, IReadOnlyList<Saved> listed)
    {
        before.Disk.Steps.ShouldNotBeEmpty();
        foreach (Saved saved in listed)
        {
            if (scenario.IsTiered)
            {
                (await after.ComesBackAsync(after.Remote, saved)).ShouldBeTrue($"{saved.Checkpoint.Name}, copied, outlives a power cut");
            }

            (await after.ComesBackAsync(after.Folder, saved) || scenario.IsTiered).ShouldBeTrue(
                $"{saved.Checkpoint.Name} outlives a power cut"
            );
        }
    }

    private static async Task ShouldHaveOnlyAsync(ICheckpointStore store, FaultWorld world, Saved[] listed)
    {
        foreach (TaskId task in (TaskId[])[world.Task, world.Other])
        {
            IReadOnlyList<string> files = await store.ListFilesAsync(task, CancellationToken.None);
            files.ShouldBe(
                listed
                    .Where(saved => saved.Task == task)
                    .SelectMany(saved => saved.Checkpoint.Packs.Append(CheckpointNames.ManifestFile(saved.Checkpoint.Name)))
                    .Distinct()
                    .Order(StringComparer.Ordinal)
            );
        }
    }

    /// <summary>What is no file of a store. A store's marker that was never finished may stay: it is made once, and has 50 bytes.</summary>
    private static string[] StrayFiles(string root) =>
        [
            .. Directory
                .EnumerateFiles(root, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(root, path))
                .Where(path => Path.GetFileName(path) is var name && name != "remote-seen" && !name.StartsWith(FolderLayout.MarkerName))
                .Where(path => !path.Contains("/packs/") && !path.Contains("/manifests/")),
        ];
}
