using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A piece of memory that the disk itself can read and write. Pieces are used again: what was used before is fast. They are of large pages
/// where the system has such: a disk is handed a list of the pages of what it is to write, and with small ones that takes longer than the
/// writing.
/// </summary>
internal sealed unsafe partial class AlignedMemory : IDisposable
{
    /// <summary>Large enough that a disk is at its best.</summary>
    public const int Size = 4 << 20;

    /// <summary>What disks and file systems ask of offsets, lengths and memory; none that is used here asks for more.</summary>
    public const int Alignment = 4096;

    private const int LargePage = 2 << 20;
    private const int UseLargePages = 14;
    private const int Kept = 16;
    private static readonly ConcurrentBag<nint> Used = [];

    private nint _start = Used.TryTake(out nint used) ? used : Allocate();

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

    private static nint Allocate()
    {
        void* start = NativeMemory.AlignedAlloc(Size, LargePage);
        if (OperatingSystem.IsLinux())
        {
            // Where it does not do that, the pages stay small.
            _ = Advise(start, Size, UseLargePages);
        }

        return (nint)start;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}
