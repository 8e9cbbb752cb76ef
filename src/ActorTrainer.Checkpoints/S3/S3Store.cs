using System.Security.Cryptography;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;
using Amazon.S3;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>
/// Checkpoints in a bucket of S3 or of any service that speaks its protocol: the objects <c>PREFIX/TASK/packs/NAME.pack</c> and
/// <c>PREFIX/TASK/manifests/NAME.json</c> with the content that docs/formats/checkpoint.md describes. A request that fails on its way is
/// made again for <c>retry-for</c>; then the store is away, and nothing counts as damaged. What is open for reading does not outlive an
/// unlink: objects have no open handles.
/// </summary>
public sealed class S3Store : ChunkedStore, IDisposable
{
    private readonly IAmazonS3 _client;
    private readonly S3Bucket _bucket;

    /// <summary>Opens a store; nothing is asked of the service yet.</summary>
    /// <param name="model">Bucket, chunk size (4 KiB to 64 MiB) and whether to compress.</param>
    /// <param name="time">Dates the manifests and bounds the retries.</param>
    /// <exception cref="ArgumentException">The bucket is empty or the chunk size out of range.</exception>
    /// <exception cref="CheckpointStoreException">The credentials file cannot be read or lacks the profile.</exception>
    public S3Store(CheckpointStoreModel model, TimeProvider time)
        : this(model, time, new S3Limits()) { }

    internal S3Store(CheckpointStoreModel model, TimeProvider time, S3Limits limits)
        : this(model, time, S3Connection.Open(model.S3), limits) { }

    private S3Store(CheckpointStoreModel model, TimeProvider time, IAmazonS3 client, S3Limits limits)
        : this(model, time, client, new S3Bucket(client, model.S3, limits, time)) { }

    private S3Store(CheckpointStoreModel model, TimeProvider time, IAmazonS3 client, S3Bucket bucket)
        : base(new S3Files(bucket, model.S3.PartSizeBytes), model, time, PoolFor(model)) => (_client, _bucket) = (client, bucket);

    /// <summary>The bundles beside the checkpoints.</summary>
    internal IBundlePlace Bundles => ((S3Files)Files).Bundles;

    /// <summary>Where it is, for example <c>s3://bucket/prefix</c>.</summary>
    public string Place => _bucket.Place;

    /// <summary>Whether the bucket answers and can be written: writes, reads and removes a small object.</summary>
    /// <exception cref="CheckpointStoreException">It cannot; says why and what to do.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        string key = $"actortrainer-check-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        byte[] bytes = RandomNumberGenerator.GetBytes(16);
        await _bucket.PutAsync(key, bytes, cancellationToken).ConfigureAwait(false);
        byte[] read = new byte[bytes.Length];
        await _bucket.ReadAsync(key, 0, read, cancellationToken).ConfigureAwait(false);
        await _bucket.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        if (!read.AsSpan().SequenceEqual(bytes))
        {
            throw new CheckpointStoreException(
                $"The checkpoint store at {Place} cannot be used: it gave back other bytes than were written. "
                    + "Check actortrainer.checkpoints.s3.endpoint: what answers there is no service that speaks S3's protocol."
            );
        }
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _client.Dispose();
}
