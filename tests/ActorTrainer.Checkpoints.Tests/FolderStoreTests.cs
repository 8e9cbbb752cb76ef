using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

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
