using System.Collections.Concurrent;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Keeps the buffers of saves and restores for the store's life. The first touch of fresh memory costs more than hashing it, so buffers
/// are used again instead of being given to the collector.
/// </summary>
internal sealed class BufferPool(int bufferSize, int kept)
{
    private readonly ConcurrentBag<byte[]> _buffers = [];

    /// <summary>A buffer of at least this size; its bytes are whatever was there.</summary>
    public byte[] Rent(int size) =>
        size <= bufferSize && _buffers.TryTake(out byte[]? buffer)
            ? buffer
            : GC.AllocateUninitializedArray<byte>(Math.Max(size, bufferSize));

    public void Return(byte[] buffer)
    {
        if (buffer.Length == bufferSize && _buffers.Count < kept)
        {
            _buffers.Add(buffer);
        }
    }
}
