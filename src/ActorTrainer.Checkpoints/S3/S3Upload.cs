using Amazon.S3.Model;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>
/// A pack on its way to the bucket: what fits into one part goes as a whole, a larger one in parts, a few of them at once. The writer waits
/// when all buffers are on their way, so memory is bounded whatever the speed of the network.
/// </summary>
internal sealed class S3Upload : IPackSink
{
    /// <summary>How many parts are on their way at once.</summary>
    public const int PartsAtOnce = 4;

    /// <summary>The service's own bounds.</summary>
    private const int MostParts = 10_000;

    private static readonly TimeSpan AbortFor = TimeSpan.FromSeconds(5);

    private readonly S3Bucket _bucket;
    private readonly string _key;
    private readonly BufferPool _buffers;
    private readonly int _partSize;
    private readonly CancellationTokenSource _stopping;
    private readonly SemaphoreSlim _free = new(PartsAtOnce);
    private readonly List<Task<PartETag>> _parts = [];
    private byte[] _part;
    private int _filled;
    private string? _upload;
    private bool _finished;
    private bool _disposed;

    /// <param name="bucket">Where it goes.</param>
    /// <param name="key">Its name there.</param>
    /// <param name="buffers">Buffers of one part each.</param>
    /// <param name="partSize">In bytes, unless the pack could be larger than the most parts of that.</param>
    /// <param name="atMost">The most bytes that it can have.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public S3Upload(S3Bucket bucket, string key, BufferPool buffers, int partSize, long atMost, CancellationToken cancellationToken)
    {
        (_bucket, _key, _buffers) = (bucket, key, buffers);
        _partSize = PartSizeFor(partSize, atMost);
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _part = buffers.Rent(_partSize);
    }

    /// <summary>At most 10,000 parts are allowed.</summary>
    internal static int PartSizeFor(int partSize, long atMost) => (int)Math.Clamp((atMost / MostParts) + 1, partSize, Array.MaxLength);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_filled == _partSize)
            {
                SendPart();
            }

            int count = Math.Min(bytes.Length, _partSize - _filled);
            bytes[..count].CopyTo(_part.AsSpan(_filled));
            _filled += count;
            bytes = bytes[count..];
        }
    }

    public void Finish(long length)
    {
        OwnThreads.Wait(() => FinishAsync(length));
        _finished = true;
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!_finished)
        {
            _stopping.Cancel();
            OwnThreads.Wait(GiveUpAsync);
        }

        _buffers.Return(_part);
        _part = [];
        _free.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Gives up an upload within a few seconds; what cannot be given up is left to the bucket's own rules.</summary>
    public static async Task TryAbortAsync(S3Bucket bucket, string key, string upload)
    {
        using CancellationTokenSource limit = new(AbortFor, TimeProvider.System);
        try
        {
            await bucket.AbortUploadAsync(key, upload, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CheckpointStoreException or OperationCanceledException)
        {
            // The error that brought us here matters more.
        }
    }

    private void SendPart()
    {
        _upload ??= OwnThreads.Wait(() => _bucket.BeginUploadAsync(_key, _stopping.Token));
        _free.Wait(_stopping.Token);
        if (_parts.FirstOrDefault(part => part.IsFaulted) is { } failed)
        {
            _free.Release();
            OwnThreads.Wait(() => failed);
        }

        int number = _parts.Count + 1;
        (byte[] part, int length) = (_part, _filled);
        _part = _buffers.Rent(_partSize);
        _filled = 0;
        _parts.Add(Task.Run(() => SendAsync(number, part, length)));
    }

    private async Task<PartETag> SendAsync(int number, byte[] part, int length)
    {
        try
        {
            return await _bucket.UploadPartAsync(_key, _upload!, number, part.AsMemory(0, length), _stopping.Token).ConfigureAwait(false);
        }
        finally
        {
            _buffers.Return(part);
            _free.Release();
        }
    }

    private async Task<bool> FinishAsync(long length)
    {
        if (_upload is null)
        {
            await _bucket.PutAsync(_key, _part.AsMemory(0, _filled), _stopping.Token).ConfigureAwait(false);
            return true;
        }

        if (_filled > 0)
        {
            await _free.WaitAsync(_stopping.Token).ConfigureAwait(false);
            _parts.Add(SendAsync(_parts.Count + 1, _part, _filled));
            _part = [];
        }

        PartETag[] parts = await Task.WhenAll(_parts).ConfigureAwait(false);
        await _bucket.CompleteUploadAsync(_key, _upload, parts, length, _stopping.Token).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> GiveUpAsync()
    {
        // Their buffers are theirs until they have ended.
        foreach (Task<PartETag> part in _parts)
        {
            await ((Task)part).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_upload is { } upload)
        {
            await TryAbortAsync(_bucket, _key, upload).ConfigureAwait(false);
        }

        return true;
    }
}
