using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class FolderStoreTests : ChunkedStoreConformance
{
    private readonly FolderStore _store;

    public FolderStoreTests() =>
        _store = new FolderStore(new CheckpointStoreModel { Path = Folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 4096;

    [Fact]
    public async Task Save_OfACommand_SaysTheSizeOfItsOwnFiles()
    {
        using SaveFixture fixture = new();
        fixture.Write(("model.bin", new byte[12]), (Manifest.SavesFile, "[[\"model.bin\"]]"u8.ToArray()));
        FolderStore store = fixture.Open();
        CheckpointRef saved = await fixture.SaveAsync(store);
        saved.Bytes.ShouldBe(12);

        // The manifest counts all that is stored, and the file is restored with the others.
        using ICheckpointContent content = await store.OpenAsync(fixture.Task, saved, CancellationToken.None);
        content.Files.Select(file => file.Path).Order(StringComparer.Ordinal).ShouldBe([Manifest.SavesFile, "model.bin"]);
    }

    [Fact]
    public async Task Scrub_AtAPace_TakesAtLeastAsLongAsThatSays()
    {
        using SaveFixture fixture = new();
        fixture.Write(("model.bin", fixture.Noise(40 * SaveFixture.ChunkSize)));
        CheckpointRef saved = await fixture.SaveAsync(fixture.Open());
        FakeTimeProvider time = new();
        FolderStore store = new(new CheckpointStoreModel { Path = fixture.StoreFolder, ChunkSizeBytes = SaveFixture.ChunkSize }, time);

        Task<long> scrub = store.ScrubAsync(fixture.Task, saved, 4 * SaveFixture.ChunkSize, CancellationToken.None);
        TimeSpan taken = TimeSpan.Zero;
        while (!scrub.IsCompleted)
        {
            // Its next pause may not have begun yet.
            time.Advance(TimeSpan.FromMilliseconds(100));
            taken += TimeSpan.FromMilliseconds(100);
            await System.Threading.Tasks.Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        (await scrub).ShouldBeGreaterThan(40 * SaveFixture.ChunkSize);
        taken.ShouldBeGreaterThan(TimeSpan.FromSeconds(9.5));
    }

    protected override void Damage(string file, Func<byte[], byte[]?> change) => StoreFolder.Damage(Folder["store"], Task, file, change);

    protected override void TakeAway() => Directory.Move(Folder["store"], Folder["unmounted"]);

    protected override void BringBack() => Directory.Move(Folder["unmounted"], Folder["store"]);
}

public sealed class UncompressedLargeChunkFolderStoreTests : ChunkedStoreConformance
{
    private readonly FolderStore _store;

    public UncompressedLargeChunkFolderStoreTests() =>
        _store = new FolderStore(
            new CheckpointStoreModel { Path = Folder["store"], Compression = CheckpointCompression.Off },
            TimeProvider.System
        );

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 1 << 20;

    protected override void Damage(string file, Func<byte[], byte[]?> change) => StoreFolder.Damage(Folder["store"], Task, file, change);

    protected override void TakeAway() => Directory.Move(Folder["store"], Folder["unmounted"]);

    protected override void BringBack() => Directory.Move(Folder["unmounted"], Folder["store"]);
}
