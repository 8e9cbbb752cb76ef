using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A piece of memory that the disk itself can read and write. Pieces are used again: what was used before is fast.
/// </summary>
internal sealed unsafe class AlignedMemory : IDisposable
{
    /// <summary>Large enough that a disk is at its best.</summary>
    public const int Size = 4 << 20;

    /// <summary>What disks and file systems ask of offsets, lengths and memory; none that is used here asks for more.</summary>
    public const int Alignment = 4096;

    private const int Kept = 16;
    private static readonly ConcurrentBag<nint> Used = [];

    private nint _start = Used.TryTake(out nint used) ? used : (nint)NativeMemory.AlignedAlloc(Size, Alignment);

    public Span<byte> Bytes => new((void*)_start, Size);

    public void Dispose()
    {
        nint start = Interlocked.Exchange(ref _start, 0);
        if (start == 0)
        {
            return;
        }

        if (Used.Count < Kept)
        {
            Used.Add(start);
        }
        else
        {
            NativeMemory.AlignedFree((void*)start);
        }
    }
}
