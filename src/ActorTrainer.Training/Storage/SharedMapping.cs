using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Training.Storage;

/// <summary>
/// A file of shared memory in the addresses of this process. The first access to a page costs many times its copy, and one for which the
/// system has no memory ends the process: so bytes are copied only to where <see cref="TryTouch"/> was before. Linux, 64 bits.
/// </summary>
internal sealed unsafe partial class SharedMapping : SafeHandleMinusOneIsInvalid
{
    private const int ReadAndWrite = 1 | 2;
    private const int Shared = 1;
    private const int NotForChildren = 10;
    private const int NotInDumps = 16;

    /// <summary>Since Linux 5.14; where it is not, pages are allocated, but no copy goes here.</summary>
    private const int TouchForWriting = 23;

    private readonly SafeFileHandle _file;
    private readonly long _length;

    private SharedMapping(SafeFileHandle file, nint start, long length)
        : base(ownsHandle: true)
    {
        (_file, _length) = (file, length);
        SetHandle(start);
    }

    /// <summary>Maps a file from its beginning; null where that cannot be.</summary>
    /// <param name="file">It may be shorter, and stays as long as it is; it is the caller's, and never becomes shorter.</param>
    /// <param name="length">How long it may become.</param>
    public static SharedMapping? TryMap(SafeFileHandle file, long length)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess || length <= 0)
        {
            return null;
        }

        SharedMapping mapping = new(file, Map(null, (nuint)length, ReadAndWrite, Shared, file, 0), length);
        if (mapping.IsInvalid)
        {
            return null;
        }

        _ = Advise((void*)mapping.handle, (nuint)length, NotForChildren);
        _ = Advise((void*)mapping.handle, (nuint)length, NotInDumps);
        return mapping;
    }

    /// <summary>
    /// Has the system find memory for a part of the file, which becomes so long if it was shorter. Changes no byte, whoever writes there.
    /// </summary>
    /// <param name="offset">A multiple of the size of a page.</param>
    /// <param name="count">In bytes.</param>
    /// <param name="ready">Whether bytes can be copied there from now on.</param>
    /// <returns>False: there is no more memory to have.</returns>
    /// <exception cref="ObjectDisposedException">It, or its file, was given back.</exception>
    public bool TryTouch(long offset, long count, out bool ready)
    {
        bool used = false;
        try
        {
            DangerousAddRef(ref used);
            bool allocated = Allocate(_file, 0, offset, count) == 0;
            ready = allocated && Advise((byte*)handle + offset, (nuint)count, TouchForWriting) == 0;
            return allocated;
        }
        finally
        {
            if (used)
            {
                DangerousRelease();
            }
        }
    }

    /// <summary>Copies bytes to a part that was touched.</summary>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, _length - offset);
        bool used = false;
        try
        {
            DangerousAddRef(ref used);
            bytes.CopyTo(new Span<byte>((byte*)handle + offset, bytes.Length));
        }
        finally
        {
            if (used)
            {
                DangerousRelease();
            }
        }
    }

    protected override bool ReleaseHandle() => Unmap((void*)handle, (nuint)_length) == 0;

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(void* start, nuint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* start, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);
}
