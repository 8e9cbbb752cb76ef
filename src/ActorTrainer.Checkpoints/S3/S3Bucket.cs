using System.Globalization;
using System.Net;
using ActorTrainer.Core.Configuration;
using Amazon.S3;
using Amazon.S3.Model;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>
/// The requests that a store makes, each with retries. Keys are relative to the store's prefix. When an object that is to be read is
/// missing, the store's marker is looked for before that is said: a missing bucket answers alike.
/// </summary>
internal sealed partial class S3Bucket
{
    private const string Marker = FolderLayout.MarkerName;

    private readonly IAmazonS3 _client;
    private readonly string _bucket;
    private readonly string _prefix;
    private readonly S3Limits _limits;
    private readonly S3Retry _retry;

    public S3Bucket(IAmazonS3 client, S3StoreModel model, S3Limits limits, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(model.Bucket);
        (_client, _bucket, _prefix, _limits) = (client, model.Bucket, model.Prefix, limits);
        Place = _prefix.Length == 0 ? $"s3://{_bucket}" : $"s3://{_bucket}/{_prefix}";
        _retry = new S3Retry(Place, model.RequestTimeout, model.RetryFor, time);
    }

    /// <summary>Up to this size the service copies an object by itself.</summary>
    public long CopyBytes => _limits.CopyBytes;

    /// <summary>For people, for example <c>s3://bucket/prefix</c>.</summary>
    public string Place { get; }

    /// <summary>Whether the store has been used before.</summary>
    public async Task<bool> HasMarkerAsync(CancellationToken cancellationToken) =>
        await LengthAsync(Marker, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Looks for the store, and makes it where that may be.</summary>
    /// <exception cref="CheckpointStoreException">The store is away.</exception>
    public async Task PrepareAsync(bool mayCreateStore, CancellationToken cancellationToken)
    {
        if (!mayCreateStore)
        {
            await RequireMarkerAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (!await HasMarkerAsync(cancellationToken).ConfigureAwait(false))
        {
            await PutAsync(Marker, FolderLayout.MarkerBytes, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <exception cref="CheckpointStoreException">The store is not there.</exception>
    public async Task RequireMarkerAsync(CancellationToken cancellationToken)
    {
        if (!await HasMarkerAsync(cancellationToken).ConfigureAwait(false))
        {
            throw new CheckpointStoreException(
                $"The checkpoint store at {Place} is away: its {Marker} is missing. "
                    + "Check that the bucket exists and actortrainer.checkpoints.s3 names the right one and the right prefix."
            );
        }
    }

    /// <summary>An object's length; null when there is none, or no bucket.</summary>
    public Task<long?> LengthAsync(string key, CancellationToken cancellationToken) =>
        _retry.RunAsync($"looking at {key}", attempt => TryHeadAsync(key, attempt), cancellationToken);

    /// <summary>Fills the target with what stands at an offset.</summary>
    /// <returns>The bytes read, fewer at the object's end, and the object's length; a length below 0: there is no such object.</returns>
    public async Task<(int Read, long Length)> ReadAsync(string key, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        (int Read, long Length) result = await _retry
            .RunAsync($"reading {key}", attempt => TryReadAsync(key, offset, target, attempt), cancellationToken)
            .ConfigureAwait(false);
        if (result.Length < 0)
        {
            await RequireMarkerAsync(cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    /// <summary>Writes an object as a whole.</summary>
    public Task PutAsync(string key, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _retry.RunAsync(
            $"writing {key}",
            attempt =>
                _client.PutObjectAsync(
                    new PutObjectRequest
                    {
                        BucketName = _bucket,
                        Key = KeyOf(key),
                        InputStream = S3Stream.Over(bytes),
                        UseChunkEncoding = false,
                    },
                    attempt
                ),
            cancellationToken
        );

    /// <summary>Removes an object; one that is not there is passed over.</summary>
    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        _retry.RunAsync(
            $"removing {key}",
            attempt => _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _bucket, Key = KeyOf(key) }, attempt),
            cancellationToken
        );

    /// <summary>All keys that begin with this one, without it.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(string start, CancellationToken cancellationToken)
    {
        List<string> keys = [];
        string whole = KeyOf(start);
        string? next = null;
        do
        {
            string? token = next;
            ListObjectsV2Response page = await _retry
                .RunAsync(
                    $"listing {start}",
                    attempt =>
                        _client.ListObjectsV2Async(
                            new ListObjectsV2Request
                            {
                                BucketName = _bucket,
                                Prefix = whole,
                                ContinuationToken = token,
                                MaxKeys = _limits.PageSize,
                            },
                            attempt
                        ),
                    cancellationToken
                )
                .ConfigureAwait(false);
            keys.AddRange((page.S3Objects ?? []).Select(found => found.Key[whole.Length..]));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        } while (next is not null);
        return keys;
    }

    private string KeyOf(string key) => _prefix.Length == 0 ? key : $"{_prefix}/{key}";

    private async Task<long?> TryHeadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            GetObjectMetadataResponse found = await _client
                .GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _bucket, Key = KeyOf(key) }, cancellationToken)
                .ConfigureAwait(false);
            return found.ContentLength;
        }
        catch (Exception e) when (S3Errors.IsMissing(e))
        {
            return null;
        }
    }

    private async Task<(int Read, long Length)> TryReadAsync(
        string key,
        long offset,
        Memory<byte> target,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using GetObjectResponse response = await _client
                .GetObjectAsync(
                    new GetObjectRequest
                    {
                        BucketName = _bucket,
                        Key = KeyOf(key),
                        ByteRange = new ByteRange(offset, offset + target.Length - 1),
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
            long length = offset == 0 && response.HttpStatusCode == HttpStatusCode.OK ? response.ContentLength : 0;
            if (length == 0 && !TryParseRange(response.ContentRange, offset, out length))
            {
                throw new IOException($"the answer has the range '{response.ContentRange}' and not the one that was asked for");
            }

            // A body that ends too early is an error of the way, and throws: how long the object is stands in the answer's head.
            int expected = (int)Math.Min(target.Length, length - offset);
            await response.ResponseStream.ReadExactlyAsync(target[..expected], cancellationToken).ConfigureAwait(false);
            return (expected, length);
        }
        catch (Exception e) when (S3Errors.IsMissing(e))
        {
            return (0, -1);
        }
        catch (Exception e) when (S3Errors.IsBeyondEnd(e))
        {
            return (0, offset);
        }
    }

    /// <summary>Reads <c>bytes 0-7/4711</c>.</summary>
    internal static bool TryParseRange(string? range, long offset, out long length)
    {
        length = 0;
        string[] parts = (range ?? "").Split(' ', '-', '/');
        return parts.Length == 4
            && parts[0] == "bytes"
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long first)
            && first == offset
            && long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out length)
            && length > offset;
    }
}

/// <summary>Bounds of requests.</summary>
/// <param name="PageSize">The most keys that one answer lists; null: what the service likes.</param>
/// <param name="CopyBytes">Up to this size a service copies an object within a request's time; larger ones go through this node.</param>
internal sealed record S3Limits(int? PageSize = null, long CopyBytes = 256L << 20);
