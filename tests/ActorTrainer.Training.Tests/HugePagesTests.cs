using System.Globalization;
using System.Runtime.InteropServices;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Training.Tests;

public sealed class HugePagesTests
{
    /// <summary>Of what the heap has and of what it will have.</summary>
    [Fact]
    public void UseForHeap_Heap_IsAdvisedToHaveLargePages()
    {
        HugePages.UseForHeap();

        byte[] later = new byte[64 << 20];
        later.AsSpan().Fill(1);
        if (OperatingSystem.IsLinux() && Directory.Exists("/sys/kernel/mm/transparent_hugepage"))
        {
            FlagsAt(later).ShouldContain("hg");
        }

        later[^1].ShouldBe((byte)1);
    }

    /// <summary>The flags of the mapping that an array is in, as <c>/proc/self/smaps</c> has them.</summary>
    private static string[] FlagsAt(byte[] array)
    {
        GCHandle pinned = GCHandle.Alloc(array, GCHandleType.Pinned);
        try
        {
            long start = pinned.AddrOfPinnedObject();
            bool inside = false;
            foreach (string line in File.ReadLines("/proc/self/smaps"))
            {
                string first = line.Split(' ')[0];
                if (first.Contains('-', StringComparison.Ordinal))
                {
                    ulong[] range =
                    [
                        .. first.Split('-').Select(end => ulong.Parse(end, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
                    ];
                    inside = range[0] <= (ulong)start && (ulong)start < range[1];
                }
                else if (inside && first == "VmFlags:")
                {
                    return line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                }
            }

            return [];
        }
        finally
        {
            pinned.Free();
        }
    }
}
