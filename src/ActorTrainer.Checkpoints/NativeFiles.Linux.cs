using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <content>Linux, where names are bytes.</content>
internal static partial class NativeFiles
{
    private static unsafe partial class Linux
    {
        public const int ReadOnly = 0x80000;
        public const int CreateForWriting = 0x80000 | 0x200 | 0x40 | 0x1;
        private const int DefaultMode = 0b110_110_110;
        private const int FolderMode = 0b111_111_111;
        private const int ReadAccess = 4;
        private const int NoEntry = 2;
        private const int Exists = 17;
        private const int NameAt = 19;
        private const int LongestLink = 4096;

        public static IReadOnlyList<string> Names(string folder)
        {
            nint open = OpenFolder(folder);
            if (open == 0)
            {
                throw Failed(folder);
            }

            try
            {
                List<string> names = [];
                for (byte* entry = ReadFolder(open); entry is not null; entry = ReadFolder(open))
                {
                    ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameAt);
                    if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                    {
                        names.Add(NativeNames.FromBytes(name));
                    }
                }

                return names;
            }
            finally
            {
                _ = CloseFolder(open);
            }
        }

        public static string? LinkTarget(string path)
        {
            Span<byte> target = stackalloc byte[LongestLink];
            fixed (byte* start = target)
            {
                nint length = ReadLink(path, start, LongestLink);
                return length < 0 ? null : NativeNames.FromBytes(target[..(int)length]);
            }
        }

        public static bool MayRead(string path) => Access(path, ReadAccess) == 0;

        public static void MakeFolder(string path)
        {
            if (MakeDirectory(path, FolderMode) != 0 && Marshal.GetLastPInvokeError() != Exists)
            {
                throw Failed(path);
            }
        }

        public static SafeFileHandle Open(string path, int flags) =>
            OpenFile(path, flags, DefaultMode) is >= 0 and int descriptor
                ? new SafeFileHandle(descriptor, ownsHandle: true)
                : throw Failed(path);

        public static void Rename(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, string shown)
        {
            byte[] source = [.. from, 0];
            byte[] target = [.. to, 0];
            fixed (byte* sourceStart = source)
            fixed (byte* targetStart = target)
            {
                if (RenameFile(sourceStart, targetStart) != 0)
                {
                    throw Failed(shown);
                }
            }
        }

        private static IOException Failed(string path)
        {
            int error = Marshal.GetLastPInvokeError();
            string problem = $"'{NativeNames.Shown(path)}': {Marshal.GetPInvokeErrorMessage(error)}";
            return error == NoEntry ? new FileNotFoundException(problem, path) : new IOException(problem);
        }

        [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
        private static partial nint OpenFolder([MarshalUsing(typeof(NativePathMarshaller))] string path);

        [LibraryImport("libc", EntryPoint = "readdir")]
        private static partial byte* ReadFolder(nint folder);

        [LibraryImport("libc", EntryPoint = "closedir")]
        private static partial int CloseFolder(nint folder);

        [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
        private static partial nint ReadLink([MarshalUsing(typeof(NativePathMarshaller))] string path, byte* target, nint length);

        [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
        private static partial int OpenFile([MarshalUsing(typeof(NativePathMarshaller))] string path, int flags, int mode);

        [LibraryImport("libc", EntryPoint = "access", SetLastError = true)]
        private static partial int Access([MarshalUsing(typeof(NativePathMarshaller))] string path, int mode);

        [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true)]
        private static partial int MakeDirectory([MarshalUsing(typeof(NativePathMarshaller))] string path, int mode);

        [LibraryImport("libc", EntryPoint = "rename", SetLastError = true)]
        private static partial int RenameFile(byte* from, byte* to);
    }
}
