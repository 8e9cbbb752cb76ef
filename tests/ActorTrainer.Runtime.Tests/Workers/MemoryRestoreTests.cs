using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Memory;
using ActorTrainer.Training.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A checkpoint of the store that is read into the memory of a task.</summary>
public sealed class MemoryRestoreTests : IDisposable
{
    private const long Budget = 3L << 26;
    private static readonly RunKey Run = WorkerHarness.Key();
    private static readonly RunKey Next = WorkerHarness.Key(2);

    /// <summary>Several stretches, and an end within a chunk.</summary>
    private static readonly byte[] Large =
    [
        .. Enumerable.Range(0, (17 << 20) + 1234).Select(i => (byte)(((ulong)i * 0x9E3779B97F4A7C15) >> 51)),
    ];

    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly FakeTimeProvider _time = new();
    private readonly StateMemory _memory;

    public MemoryRestoreTests() => _memory = new StateMemory(Budget, _time);

    private FolderStore Store { get; set; } = null!;

    public void Dispose()
    {
        _memory.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(3 << 20)]
    public async Task TryFill_ACheckpoint_StandsThereAsItWasSaved(int chunkSize)
    {
        CheckpointRef saved = await SaveAsync(chunkSize, ("a/large", Large), ("empty", []), ("small", [1, 2, 3]));

        (await _memory.TryFillAsync(Run, saved, Store, CancellationToken.None)).ShouldBeTrue();

        MemoryState state = _memory.Restored(Run)!;
        byte[] memory = await File.ReadAllBytesAsync(state.Path);
        state.Files.Select(file => file.Path).ShouldBe(["a/large", "empty", "small"]);
        BytesOf(state.Files[0]).ShouldBe(Large);
        BytesOf(state.Files[1]).ShouldBeEmpty();
        BytesOf(state.Files[2]).ShouldBe([1, 2, 3]);
        _memory.Offer(Run)!.Held.ShouldBe([2], "the worker begins with it");
        byte[] BytesOf(StagedFile file) => memory[(int)file.Extents[0]..(int)(file.Extents[0] + file.Extents[1])];
    }

    /// <summary>A run that fails before its first save finds what the run before had begun with, if nobody has changed it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TryFill_ACheckpoint_ServesTheNextRunToo(bool changed)
    {
        CheckpointRef saved = await SaveAsync(4096, ("a", Large));
        (await _memory.TryFillAsync(Run, saved, Store, CancellationToken.None)).ShouldBeTrue();
        string area = _memory.Offer(Run)!.Areas[2];
        Directory.Delete(Path.Combine(_folder, "store"), recursive: true);
        _memory.End(Run);
        if (changed)
        {
            using FileStream file = File.Open(area, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.Position = 16 << 20;
            file.WriteByte((byte)~Large[16 << 20]);
        }

        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBe(!changed);
    }

    [Fact]
    public async Task Release_OfTheFirstState_FreesWhatWasRestored()
    {
        CheckpointRef saved = await SaveAsync(4096, ("a", Large));
        (await _memory.TryFillAsync(Run, saved, Store, CancellationToken.None)).ShouldBeTrue();
        StagedMessage staged = new("s1", 1, 0, "request", new Dictionary<string, double>()) { Area = 0, Files = [] };
        _memory.Stage(Run, staged).ShouldBeNull();
        _memory.Held(Run).ShouldBe([0, 2]);
        _memory.Stored(Run, "s1", saved with { Name = "c-3-2-abcdefgh" });

        _memory.Release(Run, "s1").ShouldBe(2);

        _memory.Held(Run).ShouldBe([0]);
        _memory.Restored(Run).ShouldBeNull("it may be written by now");
    }

    [Fact]
    public async Task TryFill_DamagedOrAway_IsLeftToTheRestoreIntoFiles()
    {
        CheckpointRef saved = await SaveAsync(4096, ("a", Large));
        string pack = Directory.GetFiles(Path.Combine(_folder, "store"), "*.pack", SearchOption.AllDirectories).ShouldHaveSingleItem();
        using (FileStream file = File.Open(pack, FileMode.Open))
        {
            file.Position = file.Length / 2;
            int old = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(old ^ 1));
        }

        (await _memory.TryFillAsync(Run, saved, Store, CancellationToken.None)).ShouldBeFalse();
        _memory.Restored(Run).ShouldBeNull();
        _memory.Held(Run).ShouldBe([]);
        File.Delete(pack);
        (await _memory.TryFillAsync(Run, saved, Store, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task TryFill_WithoutRoom_IsLeftToTheRestoreIntoFiles()
    {
        CheckpointRef saved = await SaveAsync(4096, ("a", Large));
        using StateMemory small = new(Large.Length, _time);

        (await small.TryFillAsync(Run, saved, Store, CancellationToken.None)).ShouldBeFalse("a third of it is less");

        small.Length.ShouldBe(0);
    }

    /// <summary>
    /// A node that was to get a task has read a checkpoint when a newer one is committed: only what differs is read. Nothing of the former
    /// one can be, since its pack is gone.
    /// </summary>
    [Fact]
    public async Task TryFill_NewerCheckpointBeforeTheRunBegins_ReadsWhatDiffers()
    {
        CheckpointRef former = await SaveAsync(1 << 20, ("a", Large), ("b", [1, 2, 3]), ("gone", [9]));
        (await _memory.TryFillAsync(Run, former, Store, CancellationToken.None)).ShouldBeTrue();
        byte[] changed = [.. Large];
        changed[5 << 20]++;
        File.Delete(Path.Combine(_folder, "source", "gone"));
        CheckpointRef newer = await SaveAsync(1 << 20, former, ("a", changed), ("b", [1, 2, 3, 4]));
        await DestroyAsync(former.Packs.Single());

        _memory.TryRestore(Run, newer, CancellationToken.None).ShouldBeFalse();
        (await _memory.TryFillAsync(Run, newer, Store, CancellationToken.None)).ShouldBeTrue();

        MemoryState state = _memory.Restored(Run)!;
        byte[] memory = await File.ReadAllBytesAsync(state.Path);
        state.Files.Select(file => file.Path).ShouldBe(["a", "b"]);
        memory[..changed.Length].ShouldBe(changed);
        memory[(int)state.Files[1].Extents[0]..][..4].ShouldBe([1, 2, 3, 4]);
        _memory.End(Run);
        _memory.TryRestore(Next, newer, CancellationToken.None).ShouldBeTrue("it is compared by the checksums of both");
    }

    /// <summary>Once a run has begun, what stands there is the worker's as well.</summary>
    [Fact]
    public async Task TryFill_NewerCheckpointAfterARunHasBegun_IsLeftToTheRestoreIntoFiles()
    {
        CheckpointRef former = await SaveAsync(1 << 20, ("a", Large));
        (await _memory.TryFillAsync(Run, former, Store, CancellationToken.None)).ShouldBeTrue();
        _ = _memory.Restored(Run);
        CheckpointRef newer = await SaveAsync(1 << 20, former, ("a", [1, 2, 3]));

        (await _memory.TryFillAsync(Next, newer, Store, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task TryFill_WhereAStateStands_LeavesItAlone()
    {
        CheckpointRef saved = await SaveAsync(4096, ("a", Large));
        _ = _memory.Offer(Run);
        StagedMessage staged = new("s1", 1, 0, "request", new Dictionary<string, double>()) { Area = 2, Files = [] };
        _memory.Stage(Run, staged).ShouldBeNull();

        (await _memory.TryFillAsync(Next, saved, Store, CancellationToken.None)).ShouldBeFalse();

        _memory.Source(Run, "s1").ShouldNotBeNull();
    }

    /// <summary>Leaves what a pack begins with.</summary>
    private async Task DestroyAsync(string pack)
    {
        string path = Path.Combine(_folder, "store", Run.Task.Value, pack);
        byte[] bytes = await File.ReadAllBytesAsync(path);
        bytes.AsSpan(64).Clear();
        await File.WriteAllBytesAsync(path, bytes);
    }

    private Task<CheckpointRef> SaveAsync(int chunkSize, params (string Path, byte[] Bytes)[] files) => SaveAsync(chunkSize, null, files);

    private async Task<CheckpointRef> SaveAsync(int chunkSize, CheckpointRef? former, params (string Path, byte[] Bytes)[] files)
    {
        string source = Path.Combine(_folder, "source");
        foreach ((string path, byte[] bytes) in files)
        {
            string full = Path.Combine(source, path);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            await File.WriteAllBytesAsync(full, bytes);
        }

        Store = new FolderStore(
            new CheckpointStoreModel { Path = Path.Combine(_folder, "store"), ChunkSizeBytes = chunkSize },
            TimeProvider.System
        );
        StagedState state = new("s0", 1, 0, "request", new Dictionary<string, double>());
        string name = former is null ? "c-3-1-abcdefgh" : "c-3-2-abcdefgh";
        SaveRequest request = new(Run.Task, 3, name, state, StateSource.OfFolder(source), former is null ? [] : [former]);
        return await Store.SaveAsync(request, CancellationToken.None);
    }
}
