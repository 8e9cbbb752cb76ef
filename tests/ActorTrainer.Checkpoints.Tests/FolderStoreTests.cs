using ActorTrainer.Core.Configuration;
using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class FolderStoreTests : CheckpointStoreConformance
{
    private readonly FolderStore _store;

    public FolderStoreTests() =>
        _store = new FolderStore(new CheckpointStoreModel { Path = Folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 4096;

    protected override void Damage(string file, Func<byte[], byte[]?> change) => StoreFolder.Damage(Folder["store"], Task, file, change);
}

public sealed class UncompressedLargeChunkFolderStoreTests : CheckpointStoreConformance
{
    private readonly FolderStore _store;

    public UncompressedLargeChunkFolderStoreTests() =>
        _store = new FolderStore(new CheckpointStoreModel { Path = Folder["store"], Compression = false }, TimeProvider.System);

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 1 << 20;

    protected override void Damage(string file, Func<byte[], byte[]?> change) => StoreFolder.Damage(Folder["store"], Task, file, change);
}
