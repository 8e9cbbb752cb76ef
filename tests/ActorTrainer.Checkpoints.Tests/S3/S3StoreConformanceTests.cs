using ActorTrainer.Checkpoints.S3;

namespace ActorTrainer.Checkpoints.Tests.S3;

[Collection(S3Tests.Name)]
[Trait("Requires", "s3")]
[Trait("Lane", "Slow")]
public sealed class S3StoreConformanceTests : ChunkedStoreConformance
{
    private readonly S3Server _server;
    private readonly string _bucket;
    private readonly S3Store _store;

    public S3StoreConformanceTests(S3Server server)
    {
        (_server, _bucket) = (server, server.NewBucket());
        _store = new S3Store(server.Model(_bucket), TimeProvider.System, new S3Limits(PageSize: 3, CopyBytes: 5000));
    }

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 4096;

    protected override bool OpenOutlivesUnlink => false;

    protected override void Damage(string file, Func<byte[], byte[]?> change) => _server.Damage(_bucket, Task, file, change);

    protected override void TakeAway() => _server.Rename(_bucket, _bucket + "-away");

    protected override void BringBack() => _server.Rename(_bucket + "-away", _bucket);

    protected override void Dispose(bool disposing)
    {
        _store.Dispose();
        base.Dispose(disposing);
    }
}
