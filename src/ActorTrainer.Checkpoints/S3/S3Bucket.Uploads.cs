using System.Globalization;
using Amazon.Runtime;
using Amazon.S3.Model;

namespace ActorTrainer.Checkpoints.S3;

/// <content>Uploads in parts, and copies within the bucket.</content>
internal sealed partial class S3Bucket
{
    /// <summary>Begins an upload in parts.</summary>
    public async Task<string> BeginUploadAsync(string key, CancellationToken cancellationToken) =>
        (
            await _retry
                .RunAsync(
                    $"beginning the upload of {key}",
                    attempt =>
                        _client.InitiateMultipartUploadAsync(
                            new InitiateMultipartUploadRequest { BucketName = _bucket, Key = KeyOf(key) },
                            attempt
                        ),
                    cancellationToken
                )
                .ConfigureAwait(false)
        ).UploadId;

    /// <summary>Uploads a part; the first one is number 1.</summary>
    public async Task<PartETag> UploadPartAsync(
        string key,
        string upload,
        int number,
        ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken
    )
    {
        UploadPartResponse response = await _retry
            .RunAsync(
                string.Create(CultureInfo.InvariantCulture, $"uploading part {number} of {key}"),
                attempt =>
                    _client.UploadPartAsync(
                        new UploadPartRequest
                        {
                            BucketName = _bucket,
                            Key = KeyOf(key),
                            UploadId = upload,
                            PartNumber = number,
                            PartSize = bytes.Length,
                            InputStream = S3Stream.Over(bytes),
                            UseChunkEncoding = false,
                        },
                        attempt
                    ),
                cancellationToken
            )
            .ConfigureAwait(false);
        return new PartETag(number, response.ETag);
    }

    /// <summary>Makes an object of uploaded parts.</summary>
    /// <param name="key">The object.</param>
    /// <param name="upload">Its upload.</param>
    /// <param name="parts">Its parts, in their order.</param>
    /// <param name="length">How long it must be.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public Task CompleteUploadAsync(
        string key,
        string upload,
        IReadOnlyList<PartETag> parts,
        long length,
        CancellationToken cancellationToken
    ) =>
        _retry.RunAsync(
            $"completing the upload of {key}",
            async attempt =>
            {
                try
                {
                    await _client
                        .CompleteMultipartUploadAsync(
                            new CompleteMultipartUploadRequest
                            {
                                BucketName = _bucket,
                                Key = KeyOf(key),
                                UploadId = upload,
                                PartETags = [.. parts],
                            },
                            attempt
                        )
                        .ConfigureAwait(false);
                }
                catch (Exception e) when (S3Errors.IsOfService(e) && !attempt.IsCancellationRequested)
                {
                    // It may have been carried out though its answer was lost, and is then unknown when it is asked for again.
                    if (await TryHeadAsync(key, attempt).ConfigureAwait(false) != length)
                    {
                        throw;
                    }
                }

                return true;
            },
            cancellationToken
        );

    /// <summary>Gives up an upload, whose parts would be kept and paid for otherwise.</summary>
    public Task AbortUploadAsync(string key, string upload, CancellationToken cancellationToken) =>
        _retry.RunAsync(
            $"giving up the upload of {key}",
            attempt =>
                _client.AbortMultipartUploadAsync(
                    new AbortMultipartUploadRequest
                    {
                        BucketName = _bucket,
                        Key = KeyOf(key),
                        UploadId = upload,
                    },
                    attempt
                ),
            cancellationToken
        );

    /// <summary>Copies an object that is there within the bucket, without its bytes coming here.</summary>
    /// <returns>False when the service refuses; not every one copies.</returns>
    public Task<bool> TryCopyAsync(string key, string target, CancellationToken cancellationToken) =>
        _retry.RunAsync(
            $"copying {key}",
            async attempt =>
            {
                try
                {
                    await _client
                        .CopyObjectAsync(
                            new CopyObjectRequest
                            {
                                SourceBucket = _bucket,
                                SourceKey = KeyOf(key),
                                DestinationBucket = _bucket,
                                DestinationKey = KeyOf(target),
                            },
                            attempt
                        )
                        .ConfigureAwait(false);
                    return true;
                }
                catch (AmazonServiceException e) when (!S3Errors.IsPassing(e))
                {
                    return false;
                }
            },
            cancellationToken
        );
}
