using System.Runtime.InteropServices;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>Streams for request bodies; each attempt has its own.</summary>
internal static class S3Stream
{
    /// <summary>A seekable stream over memory that stays the caller's.</summary>
    public static Stream Over(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> array)
            ? new MemoryStream(array.Array ?? [], array.Offset, array.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);
}
