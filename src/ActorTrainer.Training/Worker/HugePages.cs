using System.Globalization;
using System.Runtime.InteropServices;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// Asks Linux for large pages in a worker's heap. Tensors are large arrays; page by page, the first touch of one costs many times what is
/// then done with it, and a process that goes to another node touches all of its state anew.
/// </summary>
internal static unsafe partial class HugePages
{
    private const int Use = 14;
    private const int LargeObject = 1 << 20;

    /// <summary>
    /// Asks for them. The heap is a part of the address space that was set aside as a whole, so this holds for what it will have, too.
    /// Where the system does not do it, nothing changes.
    /// </summary>
    public static void UseForHeap()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        byte[] inHeap = GC.AllocateUninitializedArray<byte>(LargeObject);
        fixed (byte* address = inHeap)
        {
            try
            {
                if (Find((nuint)address) is { } heap)
                {
                    _ = Advise((void*)heap.From, heap.To - heap.From, Use);
                }
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or FormatException)
            {
                // Without /proc the pages stay small.
            }
        }
    }

    /// <summary>Anonymous memory around an address, as far as it goes without a gap; null: it is not in such.</summary>
    private static (nuint From, nuint To)? Find(nuint address)
    {
        nuint from = 0;
        nuint to = 0;
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            // FROM-TO RIGHTS OFFSET DEVICE INODE [NAME]
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] range = fields[0].Split('-');
            nuint begin = nuint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            bool anonymous = fields.Length == 5;
            if (!anonymous || begin != to)
            {
                if (from <= address && address < to)
                {
                    return (from, to);
                }

                from = anonymous ? begin : 0;
            }

            to = anonymous ? nuint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;
        }

        return from <= address && address < to ? (from, to) : null;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}
