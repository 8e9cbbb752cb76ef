using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests.Tiered;

/// <summary>What a save waits for.</summary>
public sealed class TieredDurabilityTests : IAsyncDisposable
{
    private readonly SaveFixture _fixture = new();
    private TieredStore? _store;

    private string Remote => _fixture.Folder["remote"];

    public async ValueTask DisposeAsync()
    {
        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        _fixture.Dispose();
    }

    [Theory]
    [InlineData(CheckpointDurability.Copies)]
    [InlineData(CheckpointDurability.Store)]
    public async Task Save_OtherStoreIsThere_EndsWhenItHasIt(CheckpointDurability durability)
    {
        TieredStore store = Open(durability);
        CheckpointRef first = await SaveAsync(store);
        CheckpointRef second = await SaveAsync(store, first);
        store.Backlog.ShouldBe(0);
        foreach (CheckpointRef saved in (CheckpointRef[])[first, second])
        {
            (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
        }
    }

    [Fact]
    public async Task Save_Local_EndsBeforeTheOtherStoreHasIt()
    {
        TieredStore store = Open(CheckpointDurability.Local);
        CheckpointRef saved = await SaveAsync(store);
        store.Waiting.ShouldBe([(_fixture.Task, saved.Name)]);
    }

    [Fact]
    public async Task Save_CopiesAndTheOtherIsAway_IsKeptAndCopiedLater()
    {
        await File.WriteAllTextAsync(Remote, "in the way");
        TieredStore store = Open(CheckpointDurability.Copies);
        CheckpointRef saved = await SaveAsync(store);
        store.Waiting.ShouldBe([(_fixture.Task, saved.Name)]);
        File.Delete(Remote);
        await store.DrainAsync(CancellationToken.None);
        store.Waiting.ShouldBeEmpty();
        (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Save_StoreAndTheOtherIsAway_FailsAndLeavesNothing()
    {
        await File.WriteAllTextAsync(Remote, "in the way");
        TieredStore store = Open(CheckpointDurability.Store);
        await Should.ThrowAsync<CheckpointStoreException>(() => SaveAsync(store));
        store.Waiting.ShouldBeEmpty();
        (await _fixture.Open().ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
        File.Delete(Remote);
        CheckpointRef saved = await SaveAsync(store);
        await store.DrainAsync(CancellationToken.None);
        (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    /// <summary>What a task lists when another node takes it over, whose folder has nothing of it.</summary>
    [Fact]
    public async Task Mend_FolderLacksOneAndTheOtherLacksOne_BothHaveBoth()
    {
        TieredStore store = Open(CheckpointDurability.Copies);
        CheckpointRef first = await SaveAsync(store);
        CheckpointRef second = await SaveAsync(store, first);
        Directory.Delete(Path.Combine(_fixture.StoreFolder, _fixture.Task.Value), recursive: true);
        (await store.MendAsync(_fixture.Task, [second, first], CancellationToken.None)).ShouldBeEmpty();
        store.Backlog.ShouldBe(0);

        File.Delete(Path.Combine(Remote, _fixture.Task.Value, "manifests", first.Name + ".json"));
        File.Delete(Path.Combine(Remote, _fixture.Task.Value, first.Packs[0]));
        (await store.MendAsync(_fixture.Task, [second, first], CancellationToken.None)).ShouldBeEmpty();
        (await store.MendAsync(_fixture.Task, [second, first], CancellationToken.None)).ShouldBeEmpty();
        store.Backlog.ShouldBe(1);
        await store.DrainAsync(CancellationToken.None);

        foreach (string folder in (string[])[_fixture.StoreFolder, Remote])
        {
            foreach (CheckpointRef saved in (CheckpointRef[])[first, second])
            {
                (await _fixture.Open(folder: folder).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
            }
        }
    }

    private TieredStore Open(CheckpointDurability durability)
    {
        _store = new TieredStore(
            _fixture.Open(),
            _fixture.Open(folder: Remote),
            _fixture.Folder["sync"],
            interval: null,
            TimeProvider.System
        )
        {
            Durability = durability,
        };
        _store.Load();
        return _store;
    }

    private Task<CheckpointRef> SaveAsync(TieredStore store, params CheckpointRef[] listed)
    {
        _fixture.Write(("a", _fixture.Noise(5 * SaveFixture.ChunkSize)), ("same", [1, 2, 3]));
        return _fixture.SaveAsync(store, listed);
    }
}
