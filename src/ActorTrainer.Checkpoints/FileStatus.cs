using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace ActorTrainer.Checkpoints;

/// <summary>What a path is, without following links.</summary>
internal enum FileKind
{
    File,
    Directory,
    Link,

    /// <summary>Pipe, socket, device: opening one may block for ever.</summary>
    Special,
}

/// <summary>
/// What tells one state of a file from another. Equal before and after reading: the file was not changed meanwhile. The kernel's change
/// time is no part of it: that moves when another name is given to the file or taken from it, as a script does that renames its next file
/// over.
/// </summary>
internal readonly partial record struct FileStatus(FileKind Kind, long Length, int Mode, ulong Inode, long ModifiedNanoseconds)
{
    private const int DefaultMode = 0b110_100_100;
    private const int NanosecondsPerTick = 100;

    /// <summary>When its content was changed last.</summary>
    public DateTimeOffset Modified => DateTimeOffset.UnixEpoch.AddTicks(ModifiedNanoseconds / NanosecondsPerTick);

    /// <exception cref="IOException">The path is gone or cannot be looked at.</exception>
    public static FileStatus Read(string path) =>
        OperatingSystem.IsLinux() && Linux.TryRead(path, isNative: false, out FileStatus status) ? status : ReadPortable(path);

    /// <summary>As <see cref="Read"/>, of a path that may have bytes in it that are no UTF-8 (<see cref="NativeNames"/>).</summary>
    /// <exception cref="IOException">The path is gone or cannot be looked at.</exception>
    public static FileStatus ReadNative(string path) =>
        NativeNames.IsNative(path) && OperatingSystem.IsLinux() && Linux.TryRead(path, isNative: true, out FileStatus status)
            ? status
            : Read(path);

    private static FileStatus ReadPortable(string path)
    {
        FileInfo info = new(path);
        FileAttributes attributes = info.Attributes;
        if (attributes == (FileAttributes)(-1))
        {
            throw new FileNotFoundException($"'{path}' does not exist.", path);
        }

        FileKind kind =
            (attributes & FileAttributes.ReparsePoint) != 0 ? FileKind.Link
            : (attributes & FileAttributes.Directory) != 0 ? FileKind.Directory
            : (attributes & FileAttributes.Device) != 0 ? FileKind.Special
            : FileKind.File;
        int mode = OperatingSystem.IsWindows() ? DefaultMode : (int)info.UnixFileMode & 0b111_111_111;
        long length = kind == FileKind.File ? info.Length : 0;
        long modified = unchecked((info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * NanosecondsPerTick);
        return new FileStatus(kind, length, mode, 0, modified);
    }

    // statx, because its layout is the same on every architecture; .NET itself does not tell pipes from files.
    private static partial class Linux
    {
        private const int AtCurrentDirectory = -100;
        private const int AtSymlinkNoFollow = 0x100;
        private const uint BasicStats = 0x7ff;
        private const int TypeMask = 0xF000;
        private const int TypeFile = 0x8000;
        private const int TypeDirectory = 0x4000;
        private const int TypeLink = 0xA000;
        private const int NoEntry = 2;

        private static volatile bool s_unsupported;

        public static bool TryRead(string path, bool isNative, out FileStatus status)
        {
            status = default;
            if (s_unsupported)
            {
                return false;
            }

            try
            {
                StatxBuffer b;
                int failed = isNative
                    ? StatxNative(AtCurrentDirectory, path, AtSymlinkNoFollow, BasicStats, out b)
                    : Statx(AtCurrentDirectory, path, AtSymlinkNoFollow, BasicStats, out b);
                if (failed == 0)
                {
                    FileKind kind = (b.Mode & TypeMask) switch
                    {
                        TypeFile => FileKind.File,
                        TypeDirectory => FileKind.Directory,
                        TypeLink => FileKind.Link,
                        _ => FileKind.Special,
                    };
                    status = new FileStatus(
                        kind,
                        (long)b.Size,
                        b.Mode & 0b111_111_111,
                        b.Inode,
                        Nanoseconds(b.ModifiedSeconds, b.ModifiedNanoseconds)
                    );
                    return true;
                }
            }
            catch (EntryPointNotFoundException)
            {
                s_unsupported = true;
                return false;
            }

            int error = Marshal.GetLastPInvokeError();
            return error == NoEntry ? throw new FileNotFoundException($"'{path}' does not exist.", path) : false;
        }

        private static long Nanoseconds(long seconds, uint nanoseconds) => unchecked((seconds * 1_000_000_000) + nanoseconds);

        [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        private static partial int Statx(int directory, string path, int flags, uint mask, out StatxBuffer buffer);

        [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
        private static partial int StatxNative(
            int directory,
            [MarshalUsing(typeof(NativePathMarshaller))] string path,
            int flags,
            uint mask,
            out StatxBuffer buffer
        );

        [StructLayout(LayoutKind.Explicit, Size = 256)]
        private struct StatxBuffer
        {
            [FieldOffset(28)]
            public ushort Mode;

            [FieldOffset(32)]
            public ulong Inode;

            [FieldOffset(40)]
            public ulong Size;

            [FieldOffset(112)]
            public long ModifiedSeconds;

            [FieldOffset(120)]
            public uint ModifiedNanoseconds;
        }
    }
}
