using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Names of files that are not UTF-8. Linux takes any bytes for a name, and .NET takes text. A byte that is no part of UTF-8 stands in the
/// text as a character of its own (U+EE80 to U+EEFF, which are assigned to nobody; where they stand in a name, their own bytes are written
/// so). What comes back from the text is the same bytes.
/// </summary>
internal static partial class NativeNames
{
    private const char FirstEscape = '\uEE80';
    private const char LastEscape = '\uEEFF';
    private const char Replacement = '\uFFFD';
    private const int FirstByte = 0x80;
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const int LongestLink = 4096;
    private static readonly SearchValues<char> Doubtful = SearchValues.Create([
        Replacement,
        .. Enumerable.Range(FirstEscape, LastEscape - FirstEscape + 1).Select(c => (char)c),
    ]);

    /// <summary>Whether a path has a byte in it that is no part of UTF-8: .NET's own functions do not find such a file.</summary>
    public static bool IsNative(string path) => path.AsSpan().IndexOfAnyInRange(FirstEscape, LastEscape) >= 0;

    /// <summary>A name, of its bytes.</summary>
    public static string FromBytes(ReadOnlySpan<byte> name)
    {
        string text = Encoding.UTF8.GetString(name);
        if (Utf8.IsValid(name) && !IsNative(text))
        {
            return text;
        }

        StringBuilder escaped = new(name.Length);
        while (!name.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(name, out Rune rune, out int length);
            if (status == OperationStatus.Done && rune.Value is < FirstEscape or > LastEscape)
            {
                _ = escaped.Append(rune.ToString());
            }
            else
            {
                foreach (byte b in name[..length])
                {
                    _ = escaped.Append((char)(FirstEscape + b - FirstByte));
                }
            }

            name = name[length..];
        }

        return escaped.ToString();
    }

    /// <summary>The bytes of a path, without an end.</summary>
    public static byte[] ToBytes(string path)
    {
        if (!IsNative(path))
        {
            return Encoding.UTF8.GetBytes(path);
        }

        List<byte> bytes = new(path.Length);
        Span<byte> buffer = stackalloc byte[4];
        foreach (Rune rune in path.EnumerateRunes())
        {
            if (rune.Value is >= FirstEscape and <= LastEscape)
            {
                bytes.Add((byte)(rune.Value - FirstEscape + FirstByte));
            }
            else
            {
                bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
            }
        }

        return [.. bytes];
    }

    /// <summary>A path as people can read it: a byte that is no part of UTF-8 is shown as <c>\xE9</c>.</summary>
    public static string Shown(string path) =>
        !IsNative(path)
            ? path
            : string.Concat(
                path.Select(c => c is >= FirstEscape and <= LastEscape ? $"\\x{c - FirstEscape + FirstByte:X2}" : c.ToString())
            );

    /// <summary>The names in a folder, in no order.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<string> In(string folder)
    {
        if (!IsNative(folder))
        {
            string[] names = [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().Select(info => info.Name)];
            if (!OperatingSystem.IsLinux() || !names.Any(name => name.AsSpan().ContainsAny(Doubtful)))
            {
                return names;
            }
        }

        return Linux.Names(folder);
    }

    /// <summary>Where a symbolic link leads; null when it is none.</summary>
    public static string? LinkTarget(string path) => OperatingSystem.IsLinux() ? Linux.LinkTarget(path) : new FileInfo(path).LinkTarget;

    /// <summary>Whether a file may be read by this process.</summary>
    public static bool MayRead(string path) => !OperatingSystem.IsLinux() || Linux.MayRead(path);

    /// <summary>Opens a file to read it, whatever others do with it.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileStream OpenRead(string path) =>
        IsNative(path)
            ? new FileStream(Linux.Open(path, ReadOnlyCloseOnExec), FileAccess.Read)
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Makes a folder, and those above it, unless they are there.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void CreateFolder(string path)
    {
        if (!IsNative(path))
        {
            _ = Directory.CreateDirectory(path);
        }
        else
        {
            CreateFolder(Path.GetDirectoryName(path)!);
            Linux.MakeFolder(path);
        }
    }

    /// <summary>Copies a file with its mode and time; one that stands at the target is replaced.</summary>
    /// <param name="from">The file.</param>
    /// <param name="to">The copy.</param>
    /// <param name="asText">Whether the copy has the text as its name, for <see cref="PutBack"/> to mend.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It cannot be read, or the copy cannot be written.</exception>
    public static void Copy(string from, string to, bool asText = false)
    {
        if (OperatingSystem.IsWindows() || (!IsNative(from) && (asText || !IsNative(to))))
        {
            File.Copy(from, to, overwrite: true);
            return;
        }

        using FileStream source = OpenRead(from);
        using FileStream target = asText
            ? new FileStream(to, FileMode.Create, FileAccess.Write)
            : new FileStream(Linux.Open(to, Linux.CreateForWriting), FileAccess.Write);
        source.CopyTo(target);
        target.Flush();
        File.SetUnixFileMode(target.SafeFileHandle, File.GetUnixFileMode(source.SafeFileHandle));
        File.SetLastWriteTimeUtc(target.SafeFileHandle, File.GetLastWriteTimeUtc(source.SafeFileHandle));
    }

    /// <summary>
    /// Gives files and folders below a folder back the names that they had, where those are not UTF-8. Links are not followed.
    /// </summary>
    /// <param name="folder">Its own name stays.</param>
    public static void PutBack(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (FileSystemInfo info in new DirectoryInfo(folder).GetFileSystemInfos())
        {
            if (info is DirectoryInfo { LinkTarget: null })
            {
                PutBack(info.FullName);
            }

            if (IsNative(info.Name))
            {
                byte[] above = Encoding.UTF8.GetBytes(Path.GetDirectoryName(info.FullName)! + "/");
                Linux.Rename(Encoding.UTF8.GetBytes(info.FullName), [.. above, .. ToBytes(info.Name)], info.FullName);
            }
        }
    }

    /// <summary>Deletes a folder with all that is in it, whatever its names are.</summary>
    /// <exception cref="IOException">Something in it cannot be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">Something in it may not be deleted.</exception>
    public static void DeleteFolder(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException) when (OperatingSystem.IsLinux() && Directory.Exists(folder) && RenameNative(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Gives what has a name that is not UTF-8 another one. False: there was none.</summary>
    private static bool RenameNative(string folder)
    {
        bool any = false;
        foreach (string name in In(folder))
        {
            string path = Path.Combine(folder, name);
            if (IsNative(name))
            {
                path = Path.Combine(folder, Path.GetRandomFileName());
                Linux.Rename(ToBytes(Path.Combine(folder, name)), ToBytes(path), path);
                any = true;
            }

            if (FileStatus.ReadNative(path).Kind == FileKind.Directory)
            {
                any |= RenameNative(path);
            }
        }

        return any;
    }

    /// <summary>Linux, where names are bytes.</summary>
    private static unsafe partial class Linux
    {
        public const int CreateForWriting = 0x80000 | 0x200 | 0x40 | 0x1;
        private const int DefaultMode = 0b110_110_110;
        private const int FolderMode = 0b111_111_111;
        private const int ReadAccess = 4;
        private const int NoEntry = 2;
        private const int Exists = 17;
        private const int NameAt = 19;

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
                        names.Add(FromBytes(name));
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
                return length < 0 ? null : FromBytes(target[..(int)length]);
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
            string problem = $"'{Shown(path)}': {Marshal.GetPInvokeErrorMessage(error)}";
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
