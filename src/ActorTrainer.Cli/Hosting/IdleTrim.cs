using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace ActorTrainer.Cli.Hosting;

/// <summary>
/// Gives memory back once a burst of work is over: an idle process collects nothing, so that what thousands of submits or a start left
/// stays resident for days, and the machine's memory belongs to training. Only for a process that is a node and nothing else: the
/// collection stops all threads meanwhile.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="allocated">Bytes that the process has allocated so far.</param>
/// <param name="trim">Gives back what is not needed.</param>
internal sealed class IdleTrim(TimeProvider time, Func<long> allocated, Action trim) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>Bytes allocated between two looks from which on the process is busy.</summary>
    public const long Busy = 8 << 20;

    /// <summary>A collection pays only after a while: from one to the next at least.</summary>
    public static readonly TimeSpan AtMostEvery = TimeSpan.FromSeconds(30);

    private long _allocated = allocated();
    private long _trimmedAt = time.GetTimestamp();
    private bool _burst;

    /// <summary>Of this process.</summary>
    public IdleTrim()
        : this(TimeProvider.System, () => GC.GetTotalAllocatedBytes(), TrimProcess) { }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(LookEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }

    /// <summary>Gives memory back if a burst is over.</summary>
    public void Look()
    {
        long now = allocated();
        bool busy = now - _allocated >= Busy;
        _allocated = now;
        _burst |= busy;
        if (_burst && !busy && time.GetElapsedTime(_trimmedAt) >= AtMostEvery)
        {
            trim();
            _burst = false;
            _trimmedAt = time.GetTimestamp();
            _allocated = allocated();
        }
    }

    private static void TrimProcess()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

        // What the compiler of methods and the databases' drivers freed; only the C library of GNU keeps it.
        if (NativeLibrary.TryLoad("libc.so.6", out nint library) && NativeLibrary.TryGetExport(library, "malloc_trim", out nint mallocTrim))
        {
            Marshal.GetDelegateForFunctionPointer<MallocTrim>(mallocTrim)(0);
        }
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int MallocTrim(nuint pad);
}
