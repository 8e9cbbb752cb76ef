using System.Globalization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>Chunks that are recognised by a checksum, because they stood at the same place in the save before.</summary>
public sealed class FormerStatesTests : IDisposable
{
    private const int Size = SaveFixture.ChunkSize;

    private readonly SaveFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Save_StateAfterState_EachIsRestoredAsItWas()
    {
        FolderStore store = _fixture.Open();
        byte[] bytes = _fixture.Noise((6 * Size) + 100);
        List<(CheckpointRef Checkpoint, byte[] Bytes)> saves = [];

        // Unchanged; one chunk changed; two changed places; cut; longer; as at first; another name.
        await SaveAsync("a", bytes);
        await SaveAsync("a", bytes);
        await SaveAsync("a", [.. bytes[..(2 * Size)], .. _fixture.Noise(Size), .. bytes[(3 * Size)..]]);
        await SaveAsync("a", [.. bytes[Size..(2 * Size)], .. bytes[..Size], .. bytes[(2 * Size)..]]);
        await SaveAsync("a", bytes[..((3 * Size) + 50)]);
        await SaveAsync("a", [.. bytes, .. _fixture.Noise(Size)]);
        await SaveAsync("a", bytes);
        await SaveAsync("b", bytes);

        foreach ((CheckpointRef checkpoint, byte[] saved) in saves)
        {
            string target = _fixture.Folder["restored"];
            await store.RestoreAsync(_fixture.Task, checkpoint, target, CancellationToken.None);
            (await File.ReadAllBytesAsync(Directory.GetFiles(target).ShouldHaveSingleItem())).ShouldBe(saved);
        }

        saves[1].Checkpoint.Packs.ShouldBe(saves[0].Checkpoint.Packs, "not a byte is new");
        saves[2].Checkpoint.StoredBytes.ShouldBeLessThan(3 * Size, "one chunk and a manifest");
        async Task SaveAsync(string name, byte[] content)
        {
            _fixture.Write((name, content));
            saves.Add((await _fixture.SaveAsync(store, [.. saves.Select(save => save.Checkpoint)]), content));
        }
    }

    /// <summary>What was recognised is only left out while it stands in a checkpoint that is kept.</summary>
    [Fact]
    public async Task Save_AfterTheFormerWasRemoved_WritesTheSameBytesAgain()
    {
        FolderStore store = _fixture.Open();
        _fixture.Write(("a", _fixture.Noise(3 * Size)));
        CheckpointRef first = await _fixture.SaveAsync(store);
        await store.UnlinkAsync(_fixture.Task, [.. first.Packs, CheckpointNames.ManifestFile(first.Name)], CancellationToken.None);

        CheckpointRef second = await _fixture.SaveAsync(store);

        (await store.VerifyAsync(_fixture.Task, second, CancellationToken.None)).ShouldBeGreaterThan(3 * Size);
    }

    [Fact]
    public void KeyAt_OnlyTheSameChunkAtTheSamePlace_HasAName()
    {
        FormerFile file = new([1, 2, 3], ["one", "two", "three"], (2 * Size) + 10);

        file.KeyAt(0, 1, Size, Size).ShouldBe("one");
        file.KeyAt(2, 3, 10, Size).ShouldBe("three");
        file.KeyAt(1, 1, Size, Size).ShouldBeNull("it stood elsewhere");
        file.KeyAt(2, 3, 11, Size).ShouldBeNull("another length");
        file.KeyAt(3, 3, 10, Size).ShouldBeNull("nothing stood there");
    }

    [Fact]
    public void Saved_MoreThanIsKept_ForgetsWhatSavedLongestAgo()
    {
        FormerStates states = new();
        TaskId[] tasks = [.. Enumerable.Range(0, 5).Select(i => TaskId.Parse($"task-{i.ToString(CultureInfo.InvariantCulture)}a"))];
        foreach (TaskId task in tasks)
        {
            states.Saved(task, Of(1 << 15));
        }

        states.Saved(tasks[1], Of(1 << 15));
        states.Saved(tasks[0], Of(1 << 15));

        tasks.Select(task => states.Of(task).Chunks > 0).ShouldBe([true, true, false, true, true]);
    }

    private static FormerState Of(int chunks) =>
        new(new Dictionary<string, FormerFile> { ["a"] = new(new UInt128[chunks], new string[chunks], (long)chunks * Size) }, Size);
}
