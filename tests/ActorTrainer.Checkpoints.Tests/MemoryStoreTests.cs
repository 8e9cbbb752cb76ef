using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class MemoryStoreTests : CheckpointStoreConformance
{
    private readonly MemoryStore _store = new(chunkSize: 4096);

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 4096;

    protected override void Damage(string file, Func<byte[], byte[]?> change) => _store.Damage(Task, file, change);

    [Fact]
    public async Task FailNext_OneCall_FailsThatCallOnly()
    {
        _store.FailNext(new CheckpointStoreException("the disk is full"));
        await Should.ThrowAsync<CheckpointStoreException>(() => Save(Tree()));
        await Restore(await Save(Tree()));
        Directory.Exists(Folder["restored"]).ShouldBeTrue();
    }
}
