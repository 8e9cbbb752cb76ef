using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Events of a folder and its sub-folders by inotify.</summary>
internal sealed unsafe partial class InotifyEvents : IFolderEvents
{
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;
    private const uint Modify = 0x2;
    private const uint CloseWrite = 0x8;
    private const uint MovedFrom = 0x40;
    private const uint MovedTo = 0x80;
    private const uint Create = 0x100;
    private const uint Delete = 0x200;
    private const uint QueueOverflow = 0x4000;
    private const uint Ignored = 0x8000;
    private const uint OnlyFolder = 0x1000000;
    private const uint DoNotFollow = 0x2000000;
    private const uint IsFolder = 0x40000000;
    private const uint Mask = Modify | CloseWrite | MovedFrom | MovedTo | Create | Delete | OnlyFolder | DoNotFollow;
    private const int MaxDepth = 8;
    private const int HeaderBytes = 16;

    private readonly int _descriptor;
    private readonly string _root;
    private readonly Dictionary<int, string> _folders = [];
    private readonly byte[] _buffer = new byte[64 << 10];

    private InotifyEvents(int descriptor, string root)
    {
        _descriptor = descriptor;
        _root = root;
        Watch("", 0);
    }

    /// <summary>Watches a folder; null when this system has no more watches to give.</summary>
    public static InotifyEvents? TryOpen(string root)
    {
        int descriptor = Init(NonBlockingCloseOnExec);
        if (descriptor < 0)
        {
            return null;
        }

        InotifyEvents events = new(descriptor, root);
        if (events._folders.Count > 0)
        {
            return events;
        }

        events.Dispose();
        return null;
    }

    public IReadOnlyList<FolderEvent> Drain()
    {
        List<FolderEvent> events = [];
        while (true)
        {
            nint read;
            fixed (byte* buffer = _buffer)
            {
                read = Read(_descriptor, buffer, (nuint)_buffer.Length);
            }

            if (read <= 0)
            {
                return events;
            }

            Decode(_buffer.AsSpan(0, (int)read), events);
        }
    }

    public void Dispose() => _ = Posix.Close(_descriptor);

    private void Decode(ReadOnlySpan<byte> bytes, List<FolderEvent> events)
    {
        while (bytes.Length >= HeaderBytes)
        {
            int watch = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            uint mask = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            int nameLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
            string name = Encoding.UTF8.GetString(bytes.Slice(HeaderBytes, nameLength).TrimEnd((byte)0));
            bytes = bytes[(HeaderBytes + nameLength)..];
            if ((mask & QueueOverflow) != 0)
            {
                // Events were lost: everything that stands here may be new.
                Watch("", 0);
                Report("", FolderEventKind.Written, events);
            }
            else if ((mask & Ignored) != 0)
            {
                _ = _folders.Remove(watch);
            }
            else if (_folders.TryGetValue(watch, out string? folder))
            {
                On(Path.Combine(folder, name), mask, events);
            }
        }
    }

    private void On(string path, uint mask, List<FolderEvent> events)
    {
        bool movedIn = (mask & MovedTo) != 0;
        if ((mask & IsFolder) != 0)
        {
            if (movedIn || (mask & Create) != 0)
            {
                // Files may stand in it from before the watch: those of a folder renamed in are complete.
                Watch(path, path.Count(c => c == '/') + 1);
                Report(path, movedIn ? FolderEventKind.MovedIn : FolderEventKind.Written, events);
            }

            return;
        }

        FolderEventKind kind =
            movedIn ? FolderEventKind.MovedIn
            : (mask & CloseWrite) != 0 ? FolderEventKind.Written
            : FolderEventKind.Activity;
        events.Add(new FolderEvent(path, kind));
    }

    private void Watch(string relative, int depth)
    {
        if (depth > MaxDepth)
        {
            return;
        }

        string path = Path.Combine(_root, relative);
        int watch = AddWatch(_descriptor, path, Mask);
        if (watch < 0)
        {
            return;
        }

        _folders[watch] = relative;
        try
        {
            foreach (string folder in Directory.GetDirectories(path))
            {
                Watch(Path.Combine(relative, Path.GetFileName(folder)), depth + 1);
            }
        }
        catch (IOException)
        {
            // Gone in the meantime.
        }
    }

    private void Report(string relative, FolderEventKind kind, List<FolderEvent> events)
    {
        try
        {
            foreach (string file in Directory.EnumerateFiles(Path.Combine(_root, relative), "*", SearchOption.AllDirectories))
            {
                events.Add(new FolderEvent(Path.GetRelativePath(_root, file), kind));
            }
        }
        catch (IOException)
        {
            // Gone in the meantime.
        }
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(int descriptor, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte* buffer, nuint count);
}
