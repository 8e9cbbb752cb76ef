using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>What was committed, what the operation makes, and what it may remove.</summary>
internal sealed record FaultLedger(IReadOnlyList<Saved> Kept, Saved? Made = null, IReadOnlyList<Saved>? Removed = null);

/// <summary>An operation of a store, whose every step is to be a point of failure.</summary>
internal sealed class FaultScenario
{
    public required string Name { get; init; }

    /// <summary>What was there before; everything of it is committed.</summary>
    public required Func<FaultWorld, Task<FaultLedger>> Before { get; init; }

    /// <summary>The operation; gives what it made.</summary>
    public required Func<FaultWorld, FaultLedger, Task<Saved?>> Run { get; init; }

    public bool IsTiered { get; init; }

    public bool CanLink { get; init; } = true;

    public static IReadOnlyList<FaultScenario> All { get; } =
    [
        new()
        {
            Name = "the first save of a store",
            Before = _ => Task.FromResult(new FaultLedger([])),
            Run = async (world, _) => await world.SaveAsync(world.Folder, 1, term: 1),
        },
        new()
        {
            Name = "a save",
            Before = async world => new FaultLedger([await world.SaveAsync(world.Folder, 1, term: 1)]),
            Run = async (world, _) => await world.SaveAsync(world.Folder, 2, term: 1),
        },
        new()
        {
            Name = "a save that shares packs",
            Before = async world => new FaultLedger(await ChainAsync(world, world.Folder, 2)),
            Run = async (world, ledger) => await world.SaveAsync(world.Folder, 3, term: 1, [.. ledger.Kept]),
        },
        new()
        {
            Name = "a copy by links",
            Before = async world => new FaultLedger(await ChainAsync(world, world.Folder, 2)),
            Run = async (world, ledger) => await world.CopyAsync(world.Folder, ledger.Kept[0]),
        },
        new()
        {
            Name = "a copy without links",
            CanLink = false,
            Before = async world => new FaultLedger(await ChainAsync(world, world.Folder, 2)),
            Run = async (world, ledger) => await world.CopyAsync(world.Folder, ledger.Kept[0]),
        },
        new()
        {
            Name = "retention's removal",
            Before = async world => Retained(await ChainAsync(world, world.Folder, 4)),
            Run = async (world, ledger) => await RetainAsync(world, world.Folder, ledger),
        },
        new()
        {
            Name = "garbage collection",
            Before = async world => Retained(await ChainAsync(world, world.Folder, 4)),
            Run = async (world, ledger) => await CollectAsync(world, world.Folder, ledger),
        },
        new()
        {
            Name = "a save of a tiered store",
            IsTiered = true,
            Before = async world => new FaultLedger(await SyncedAsync(world, 2)),
            Run = async (world, ledger) =>
            {
                await using TieredStore store = world.OpenTiered();
                return await world.SaveAsync(store, 3, term: 1, [.. ledger.Kept]);
            },
        },
        new()
        {
            Name = "a tiered sync",
            IsTiered = true,
            Before = async world =>
            {
                Saved[] synced = await SyncedAsync(world, 1);
                await using TieredStore store = world.OpenTiered();
                Saved second = await world.SaveAsync(store, 2, term: 1, synced);
                Saved third = await world.SaveAsync(store, 3, term: 1, [second, .. synced]);
                await store.UnlinkAsync(world.Task, [CheckpointNames.ManifestFile(second.Checkpoint.Name)], CancellationToken.None);
                return new FaultLedger([third, .. synced], Removed: [second]);
            },
            Run = async (world, _) => await SyncAsync(world),
        },
        new()
        {
            Name = "the first tiered sync",
            IsTiered = true,
            Before = async world =>
            {
                await using TieredStore store = world.OpenTiered();
                return new FaultLedger(await ChainAsync(world, store, 2));
            },
            Run = async (world, _) => await SyncAsync(world),
        },
        new()
        {
            Name = "a repair from behind the folder",
            IsTiered = true,
            Before = async world =>
            {
                Saved[] synced = await SyncedAsync(world, 2);
                foreach (string file in synced[0].Checkpoint.Packs.Append(CheckpointNames.ManifestFile(synced[0].Checkpoint.Name)))
                {
                    world.Disk.Unlink(Path.Combine(world.Root, "store", world.Task.Value, file));
                }

                return new FaultLedger(synced);
            },
            Run = async (world, ledger) =>
            {
                await using TieredStore store = world.OpenTiered();
                await store.VerifyAsync(world.Task, ledger.Kept[0].Checkpoint, CancellationToken.None);
                await store.DrainAsync(CancellationToken.None);
                return null;
            },
        },
        new()
        {
            Name = "retention's removal, tiered",
            IsTiered = true,
            Before = async world => Retained(await SyncedAsync(world, 3)),
            Run = async (world, ledger) =>
            {
                await using TieredStore store = world.OpenTiered();
                await RetainAsync(world, store, ledger);
                await store.DrainAsync(CancellationToken.None);
                return null;
            },
        },
    ];

    public override string ToString() => Name;

    /// <summary>Saves states one after the other, each with the chunks of those before; newest first.</summary>
    private static async Task<Saved[]> ChainAsync(FaultWorld world, ICheckpointStore store, int count)
    {
        Saved[] saved = [];
        for (int state = 1; state <= count; state++)
        {
            saved = [await world.SaveAsync(store, state, term: 1, saved), .. saved];
        }

        return saved;
    }

    private static async Task<Saved[]> SyncedAsync(FaultWorld world, int count)
    {
        await using TieredStore store = world.OpenTiered();
        Saved[] saved = await ChainAsync(world, store, count);
        await store.DrainAsync(CancellationToken.None);
        return saved;
    }

    private static async Task<Saved?> SyncAsync(FaultWorld world)
    {
        await using TieredStore store = world.OpenTiered();
        await store.DrainAsync(CancellationToken.None);
        return null;
    }

    /// <summary>The newest is kept.</summary>
    private static FaultLedger Retained(Saved[] saved) => new([saved[0]], Removed: saved[1..]);

    private static async Task<Saved?> RetainAsync(FaultWorld world, ICheckpointStore store, FaultLedger ledger)
    {
        RetentionItem[] items = [.. ledger.Kept.Concat(ledger.Removed!).Select(saved => new RetentionItem(saved.Checkpoint))];
        RetentionPlan plan = RetentionPolicy.Plan(items, new CheckpointSpec { KeepLast = 1 }, []);
        plan.Condemn.ShouldNotBeEmpty();
        await store.UnlinkAsync(world.Task, plan.Condemn, CancellationToken.None);
        return null;
    }

    private static async Task<Saved?> CollectAsync(FaultWorld world, ICheckpointStore store, FaultLedger ledger)
    {
        await FaultWorld.CollectAsync(store, world.Task, term: 2, ledger.Kept);
        return null;
    }
}
