using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Runtime.Tests.Peers;

/// <summary>Checkpoints at other nodes alone.</summary>
public sealed class PeerStoreConformanceTests : CheckpointStoreConformance
{
    private readonly PeerRing _ring;

    public PeerStoreConformanceTests() => _ring = new PeerRing(Folder, nodes: 3, copies: 2);

    protected override ICheckpointStore Store => _ring.Store;

    protected override int ChunkSize => PeerRing.ChunkSize;

    protected override bool OpenOutlivesUnlink => false;

    /// <summary>At all nodes that have it: what one of them has is not damaged.</summary>
    protected override void Damage(string file, Func<byte[], byte[]?> change) => _ring.Damage(Task, file, change);

    protected override void Dispose(bool disposing)
    {
        _ring.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }
}

/// <summary>A folder with copies at other nodes, as a node has it.</summary>
public sealed class FolderWithCopiesConformanceTests : CheckpointStoreConformance
{
    private readonly PeerRing _ring;
    private readonly TieredStore _store;

    public FolderWithCopiesConformanceTests()
    {
        _ring = new PeerRing(Folder, nodes: 2);
        _store = new TieredStore(
            new FolderStore(PeerRing.Model(Folder["store"]), TimeProvider.System),
            _ring.Store,
            Folder["sync"],
            interval: null,
            TimeProvider.System
        );
        _store.Load();
    }

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => PeerRing.ChunkSize;

    protected override void Damage(string file, Func<byte[], byte[]?> change)
    {
        _store.DrainAsync(CancellationToken.None).GetAwaiter().GetResult();
        _ring.Damage(Task, file, change);
        PeerRing.Damage(Folder["store"], Task, file, change);
    }

    protected override void Dispose(bool disposing)
    {
        _store.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _ring.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }
}
