using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Memory;
using ActorTrainer.Training.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class StateMemoryTests : IDisposable
{
    private const long Budget = 3L << 30;
    private static readonly RunKey Run = WorkerHarness.Key();
    private static readonly RunKey Next = WorkerHarness.Key(2);

    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly FakeTimeProvider _time = new();
    private readonly StateMemory _memory;

    public StateMemoryTests() => _memory = new StateMemory(Budget, _time);

    public void Dispose()
    {
        _memory.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Offer_WithoutABudget_IsNothing()
    {
        using StateMemory none = new(0, TimeProvider.System);

        none.Offer(Run).ShouldBeNull();
    }

    [Fact]
    public void Offer_SecondTask_GetsWhatTheFirstLeaves()
    {
        StagingMemory first = _memory.Offer(Run)!;
        first.Limit.ShouldBe(Budget / 3);
        first.Held.ShouldBeEmpty();
        Write(first.Areas[0], new byte[6000]);

        _memory.Offer(WorkerHarness.Key(task: "other-a1b2"))!.Limit.ShouldBe((Budget - 6000) / 3);
    }

    [Fact]
    public void Areas_OpenedByAnother_GrowAndDoNotShrink()
    {
        string path = _memory.Offer(Run)!.Areas[0];
        Write(path, new byte[6000]);
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

        Should.Throw<UnauthorizedAccessException>(() => file.SetLength(10));
        file.Length.ShouldBe(6000);
    }

    [Fact]
    public async Task Source_OfAStagedState_IsStoredBitForBit()
    {
        StagingMemory offered = _memory.Offer(Run)!;
        byte[] bytes = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * i / 7))];
        Write(offered.Areas[1], bytes);
        StagedFile[] files = [new("b/c.json", [10, 3]), new("a", [50_000, 20_000, 0, 30_000]), new("empty", [])];
        _memory.Stage(Run, Staged("s1", 1, files)).ShouldBeNull();

        FolderStore store = new(
            new CheckpointStoreModel { Path = Path.Combine(_folder, "store"), ChunkSizeBytes = 4096 },
            TimeProvider.System
        );
        SaveRequest request = new(
            Run.Task,
            3,
            "c-3-1-abcdefgh",
            new StagedState("s1", 1, 0, "request", new Dictionary<string, double>()),
            _memory.Source(Run, "s1")!,
            []
        );
        CheckpointRef saved = await store.SaveAsync(request, CancellationToken.None);
        string restored = Path.Combine(_folder, "restored");
        await store.RestoreAsync(Run.Task, saved, restored, CancellationToken.None);

        saved.Bytes.ShouldBe(50_003);
        (await File.ReadAllBytesAsync(Path.Combine(restored, "a"))).ShouldBe([.. bytes[50_000..70_000], .. bytes[..30_000]]);
        (await File.ReadAllBytesAsync(Path.Combine(restored, "b", "c.json"))).ShouldBe(bytes[10..13]);
        (await File.ReadAllBytesAsync(Path.Combine(restored, "empty"))).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../../b")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    public async Task Save_PathThatLeadsOut_IsRefused(string path)
    {
        StagingMemory offered = _memory.Offer(Run)!;
        Write(offered.Areas[0], new byte[10]);
        _memory.Stage(Run, Staged("s1", 0, [new StagedFile(path, [0, 10])])).ShouldBeNull();

        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => SaveAsync("s1"));
        e.IsOfTheState.ShouldBeTrue();
    }

    [Fact]
    public async Task Save_MoreThanTheMemoryHas_IsRefused()
    {
        StagingMemory offered = _memory.Offer(Run)!;
        Write(offered.Areas[0], new byte[10]);
        StagedFile[] bomb = [.. Enumerable.Range(0, 1000).Select(i => new StagedFile($"f{i}", [0, 10]))];
        _memory.Stage(Run, Staged("s1", 0, bomb)).ShouldBeNull();

        (await Should.ThrowAsync<CheckpointStoreException>(() => SaveAsync("s1"))).Message.ShouldContain("more than the 10 bytes");
    }

    [Fact]
    public void Stage_WhatIsNoState_SaysWhy()
    {
        StagingMemory offered = _memory.Offer(Run)!;
        Write(offered.Areas[0], new byte[10]);

        _memory.Stage(Run, Staged("s1", 3, [])).ShouldBe("stands in area 3 of 3");
        _memory.Stage(Run, Staged("s1", -1, [])).ShouldBe("stands in area -1 of 3");
        _memory.Stage(Run, Staged("s1", 0, [new StagedFile("a", [5, 6])])).ShouldBe("has the file 'a' outside of its memory");
        _memory.Stage(Run, Staged("s1", 0, [new StagedFile("a", [5])])).ShouldBe("has the file 'a' outside of its memory");
        _memory.Stage(Run, Staged("s1", 0, [])).ShouldBeNull();
        _memory.Stage(Run, Staged("s2", 0, [])).ShouldBe("stands in area 0, which was not released");
        _memory.Stage(WorkerHarness.Key(task: "other-a1b2"), Staged("s1", 0, [])).ShouldBe("stands in memory that was not offered");
    }

    [Fact]
    public async Task Expect_AState_HasMemoryReadyThatTheNextTaskTakes()
    {
        await _memory.Expect(64_000);
        _memory.Length.ShouldBe(65_000);

        StagingMemory offered = _memory.Offer(Run)!;

        File.ReadAllBytes(offered.Areas[2]).Length.ShouldBe(65_000, "checkpoints are read into the last one");
        File.ReadAllBytes(offered.Areas[0]).ShouldBeEmpty();
        offered.Limit.ShouldBe(Budget / 3, "it is this task's own");
        await _memory.Expect(64_000);
        _memory.Length.ShouldBe(130_000, "there is another one for the next");
        await _memory.Expect(0);
        _memory.Length.ShouldBe(65_000, "none comes any more");
    }

    [Fact]
    public async Task Expect_LargerAndSmallerStates_FollowsThem()
    {
        await _memory.Expect(64_000);
        await _memory.Expect(128_000);
        _memory.Length.ShouldBe(130_000);
        await _memory.Expect(120_000);
        _memory.Length.ShouldBe(130_000, "it is not made anew for a little");
        await _memory.Expect(6_400);
        _memory.Length.ShouldBe(6_500);
    }

    [Fact]
    public async Task Expect_MoreThanThereIsRoomFor_HasNothingReady()
    {
        await _memory.Expect(Budget / 3);
        _memory.Length.ShouldBe(0, "it could not be read into memory anyway");
        Write(_memory.Offer(Run)!.Areas[0], new byte[6000]);
        using StateMemory small = new(12_000, _time);
        Write(small.Offer(Run)!.Areas[0], new byte[4000]);
        await small.Expect(3_000);
        small.Length.ShouldBe(4000, "half of it is for those that are here");
    }

    [Fact]
    public async Task Expect_MachineShortOfMemory_GivesBackWhatNobodyNeeds()
    {
        bool isShort = false;
        using StateMemory memory = new(Budget, _time, () => isShort);
        Write(memory.Offer(Run)!.Areas[0], new byte[6000]);
        Write(memory.Offer(WorkerHarness.Key(task: "other-a1b2"))!.Areas[0], new byte[500]);
        memory.End(Run);
        await memory.Expect(64_000);
        memory.Length.ShouldBe(71_500);
        isShort = true;

        await memory.Expect(64_000);

        memory.Length.ShouldBe(6_500);
        await memory.Expect(64_000);
        memory.Length.ShouldBe(500, "of the run that stands");
        isShort = false;
        await memory.Expect(64_000);
        memory.Length.ShouldBe(500, "it would be short again");
        _time.Advance(StateMemory.NothingReadyFor);
        await memory.Expect(64_000);
        memory.Length.ShouldBe(65_500);
    }

    [Fact]
    public async Task Expect_OfANodeThatEnds_IsNothing()
    {
        StateMemory memory = new(Budget, _time);
        memory.Dispose();

        await memory.Expect(64_000);

        memory.Length.ShouldBe(0);
    }

    [Theory]
    [InlineData("99", true)]
    [InlineData("100", false)]
    [InlineData("nonsense", false)]
    public void IsShort_LessThanATenthAvailable_Is(string available, bool expected) =>
        MachineMemory.IsShortBy(["MemTotal:        1000 kB", "MemFree: 5 kB", $"MemAvailable:    {available} kB"]).ShouldBe(expected);

    [Fact]
    public void Release_Committed_KeepsTheLastOne()
    {
        _ = _memory.Offer(Run);
        Stage("s1", 0);
        Stage("s2", 1);
        _memory.Stored(Run, "s1", Reference("c-3-1-abcdefgh"));
        _memory.Stored(Run, "s2", Reference("c-3-2-abcdefgh"));

        _memory.Release(Run, "s1").ShouldBeNull("the last that was committed is kept");
        _memory.Release(Run, "s2").ShouldBe(0);
        Stage("s3", 0);
        _memory.Release(Run, "s3").ShouldBe(0, "it was given up");
        _memory.Release(Run, "s3").ShouldBeNull();
    }

    [Fact]
    public void End_WhileAStateIsStored_TheNextRunFindsItsAreaHeld()
    {
        StagingMemory first = _memory.Offer(Run)!;
        Write(first.Areas[0], new byte[10]);
        Stage("s1", 2);
        _memory.End(Run);

        StagingMemory second = _memory.Offer(Next)!;
        second.Areas.ShouldBe(first.Areas);
        second.Held.ShouldBe([2]);
        _memory.Release(Run, "s1").ShouldBe(2);
        _memory.End(Next);
        _memory.Length.ShouldBe(10, "another run may come");
        _time.Advance(StateMemory.KeptFor);

        _memory.Length.ShouldBe(0, "the memory is given back");
    }

    [Fact]
    public void End_WhileAStateIsNotStored_TheMemoryStays()
    {
        Write(_memory.Offer(Run)!.Areas[0], new byte[10]);
        Stage("s1", 0);
        _memory.End(Run);
        _time.Advance(StateMemory.KeptFor);
        _memory.Length.ShouldBe(10);

        _ = _memory.Release(Run, "s1");
        _time.Advance(StateMemory.KeptFor);
        _memory.Length.ShouldBe(0);
    }

    [Fact]
    public void Offer_WhenOthersTakeMoreThanHalf_TakesBackWhatNoRunNeeds()
    {
        StagingMemory first = _memory.Offer(Run)!;
        using (FileStream file = File.Open(first.Areas[0], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.SetLength((Budget / 2) + 1);
        }

        _memory.End(Run);

        _memory.Offer(WorkerHarness.Key(task: "other-a1b2"))!.Limit.ShouldBe(Budget / 3);
        _memory.Length.ShouldBe(0);
    }

    [Fact]
    public async Task TryRestore_TheStateThatWasCommittedLast_IsThere()
    {
        CheckpointRef saved = await CommitAsync();
        _memory.End(Run);

        _memory.TryRestore(Next, saved with { ManifestSha256 = "0" }, CancellationToken.None).ShouldBeFalse();
        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBeTrue();
        _time.Advance(StateMemory.KeptFor);

        MemoryState state = _memory.Restored(Next)!;
        state.Files.ShouldHaveSingleItem().Extents.ShouldBe([100, 9000]);
        File.ReadAllBytes(state.Path).ShouldBe(Bytes);
        _memory.Restored(Run).ShouldBeNull();
        string folder = Path.Combine(_folder, "restore");
        _memory.WriteRestored(Next, folder);
        File.ReadAllBytes(Path.Combine(folder, "a")).ShouldBe(Bytes[100..9100]);
    }

    /// <summary>
    /// A run that was warmed with the last checkpoint that its node knew of, and then is to begin with a newer one of another node, once
    /// began with the older state all the same.
    /// </summary>
    [Fact]
    public async Task TryRestore_OfAnotherCheckpoint_ForgetsTheFirst()
    {
        CheckpointRef saved = await CommitAsync();
        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBeTrue();

        _memory.TryRestore(Next, saved with { Name = "c-3-2-abcdefgh" }, CancellationToken.None).ShouldBeFalse();

        _memory.Restored(Next).ShouldBeNull();
    }

    [Fact]
    public async Task Release_OfANewerState_TakesTheOneThatWasRestoredAway()
    {
        CheckpointRef saved = await CommitAsync();
        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBeTrue();
        Stage("s2", 2);
        _memory.Stored(Run, "s2", Reference("c-3-2-abcdefgh"));

        _memory.Release(Run, "s2").ShouldBe(1, "it may be written again");

        _memory.Restored(Next).ShouldBeNull();
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(9099, false)]
    [InlineData(99, true)]
    [InlineData(9100, true)]
    public async Task TryRestore_AChangedByte_IsSeenWhereItIsOfTheState(int at, bool restored)
    {
        CheckpointRef saved = await CommitAsync();
        byte[] changed = [.. Bytes];
        changed[at] ^= 1;
        Write(_memory.Offer(Next)!.Areas[1], changed);

        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBe(restored);
    }

    [Fact]
    public async Task TryRestore_AStateThatWasOnlyStaged_IsNot()
    {
        CheckpointRef saved = await CommitAsync(release: false);

        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBeFalse();
    }

    private static byte[] Bytes { get; } = [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * i / 3))];

    private static CheckpointRef Reference(string name) => new(name, 1, 0, "request", 0, 0, [], "ab", new Dictionary<string, double>());

    /// <summary>A state that was saved, in one file of two chunks and a bit.</summary>
    private async Task<CheckpointRef> CommitAsync(bool release = true)
    {
        Write(_memory.Offer(Run)!.Areas[1], Bytes);
        _memory.Stage(Run, Staged("s1", 1, [new StagedFile("a", [100, 9000])])).ShouldBeNull();
        CheckpointRef saved = await SaveAsync("s1");
        _memory.Stored(Run, "s1", saved);
        if (release)
        {
            _memory.Release(Run, "s1").ShouldBeNull();
        }

        return saved;
    }

    private static StagedMessage Staged(string id, int area, IReadOnlyList<StagedFile> files) =>
        new(id, 1, 0, "request", new Dictionary<string, double>()) { Area = area, Files = files };

    private static void Write(string area, byte[] bytes) => StatesInMemory.Write(area, bytes);

    private void Stage(string id, int area) => _memory.Stage(Run, Staged(id, area, [])).ShouldBeNull();

    private Task<CheckpointRef> SaveAsync(string id) => StatesInMemory.SaveAsync(_memory, Run, id, _folder);
}
