using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using ActorTrainer.Checkpoints;
using ActorTrainer.Runtime.Workers.Files.Saves;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Events of a folder and its sub-folders by inotify.</summary>
internal sealed unsafe partial class InotifyEvents : IFolderEvents
{
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;
    private const uint Modify = 0x2;
    private const uint CloseWrite = 0x8;
    private const uint Open = 0x20;
    private const uint MovedFrom = 0x40;
    private const uint MovedTo = 0x80;
    private const uint Create = 0x100;
    private const uint Delete = 0x200;
    private const uint QueueOverflow = 0x4000;
    private const uint Ignored = 0x8000;
    private const uint OnlyFolder = 0x1000000;
    private const uint DoNotFollow = 0x2000000;
    private const uint IsFolder = 0x40000000;
    private const uint Mask = Modify | CloseWrite | Open | MovedFrom | MovedTo | Create | Delete | OnlyFolder | DoNotFollow;
    private const int MaxDepth = 8;
    private const int HeaderBytes = 16;

    private readonly int _descriptor;
    private readonly string _root;
    private readonly Dictionary<int, string> _folders = [];
    private readonly byte[] _buffer = new byte[64 << 10];
    private (uint Cookie, string Path)? _movedFrom;

    /// <summary>Files that were made and that nobody was seen to open, with the places of their events.</summary>
    private readonly Dictionary<string, int> _made = new(StringComparer.Ordinal);
    private bool _isGone;

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
        if (_isGone && Directory.Exists(_root))
        {
            // It was removed and made again.
            _isGone = false;
            events.Add(new FolderEvent("", FolderEventKind.Lost));
            OnFolder("", movedIn: false, null, events);
        }

        ReadAll(events);
        if (_made.Count > 0)
        {
            // What has content by now and was opened to be written has told so by now.
            string[] linked = [.. _made.Keys.Where(path => FolderFiles.Look(_root, path) is { Status.Length: > 0 })];
            ReadAll(events);
            foreach (string path in linked)
            {
                if (_made.TryGetValue(path, out int place))
                {
                    events[place] = new FolderEvent(path, FolderEventKind.MovedIn);
                }
            }

            _made.Clear();
        }

        EndMove(events);
        return events;
    }

    private void ReadAll(List<FolderEvent> events)
    {
        while (true)
        {
            nint read;
            fixed (byte* buffer = _buffer)
            {
                read = Read(_descriptor, buffer, (nuint)_buffer.Length);
            }

            if (read <= 0)
            {
                return;
            }

            Decode(_buffer.AsSpan(0, (int)read), events);
        }
    }

    public void Wait(TimeSpan atMost, CancellationToken cancellationToken) => Posix.WaitReadable(_descriptor, atMost);

    public void Dispose() => _ = Posix.Close(_descriptor);

    private void Decode(ReadOnlySpan<byte> bytes, List<FolderEvent> events)
    {
        while (bytes.Length >= HeaderBytes)
        {
            int watch = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            uint mask = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            uint cookie = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
            int nameLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
            string name = NativeNames.FromBytes(bytes.Slice(HeaderBytes, nameLength).TrimEnd((byte)0));
            bytes = bytes[(HeaderBytes + nameLength)..];
            if ((mask & QueueOverflow) != 0)
            {
                Watch("", 0);
                events.Add(new FolderEvent("", FolderEventKind.Lost));
            }
            else if ((mask & Ignored) != 0)
            {
                _isGone |= _folders.Remove(watch, out string? gone) && gone.Length == 0;
            }
            else if (_folders.TryGetValue(watch, out string? folder))
            {
                On(Path.Combine(folder, name), mask, cookie, events);
            }
        }
    }

    private void On(string path, uint mask, uint cookie, List<FolderEvent> events)
    {
        string? from = null;
        if ((mask & Create) == 0)
        {
            _ = _made.Remove(path);
        }

        if ((mask & ~IsFolder) == Open)
        {
            return;
        }

        if ((mask & MovedTo) != 0 && _movedFrom is { } moved && moved.Cookie == cookie)
        {
            from = moved.Path;
            _movedFrom = null;
            Renamed(from, path);
        }

        EndMove(events);
        if ((mask & MovedFrom) != 0)
        {
            _movedFrom = (cookie, path);
        }
        else if ((mask & Delete) != 0)
        {
            events.Add(new FolderEvent(path, FolderEventKind.Removed));
        }
        else if ((mask & IsFolder) != 0)
        {
            OnFolder(path, movedIn: (mask & MovedTo) != 0, from, events);
        }
        else
        {
            // A link is complete when it is made.
            FolderEventKind kind =
                (mask & MovedTo) != 0 || ((mask & Create) != 0 && NativeFiles.LinkTarget(Path.Combine(_root, path)) is not null)
                    ? FolderEventKind.MovedIn
                : (mask & CloseWrite) != 0 ? FolderEventKind.Written
                : FolderEventKind.Activity;
            if ((mask & Create) != 0 && kind == FolderEventKind.Activity)
            {
                // One that is opened to be made tells that too; one that gets another name by a link is whole at once.
                _made[path] = events.Count;
            }

            events.Add(new FolderEvent(path, kind, from));
        }
    }

    private void OnFolder(string path, bool movedIn, string? from, List<FolderEvent> events)
    {
        // Files may stand in it from before the watch.
        Watch(path, path.Count(c => c == '/') + 1);
        if (movedIn)
        {
            events.Add(new FolderEvent(path, FolderEventKind.FolderMovedIn, from));
            return;
        }

        try
        {
            events.AddRange(
                FolderFiles
                    .Below(_root, path)
                    .OrderBy(file => file.Status.ModifiedNanoseconds)
                    .ThenBy(file => file.Status.Inode)
                    .Select(file => new FolderEvent(file.RelativePath, FolderEventKind.Found))
            );
        }
        catch (IOException)
        {
            // Gone in the meantime.
        }
    }

    /// <summary>What was renamed to nowhere in the folder is out of it.</summary>
    private void EndMove(List<FolderEvent> events)
    {
        if (_movedFrom is { } moved)
        {
            _movedFrom = null;
            events.Add(new FolderEvent(moved.Path, FolderEventKind.Removed));
            Renamed(moved.Path, null);
        }
    }

    /// <summary>
    /// What is watched by another name from now on. A watch stays with its folder: what is told of it later is told of the new name, or,
    /// once it is out of the tree, of nothing.
    /// </summary>
    private void Renamed(string from, string? to)
    {
        foreach ((int watch, string folder) in _folders.Where(folder => PathKeys.IsAtOrBelow(folder.Value, from)).ToArray())
        {
            if (to is null)
            {
                _ = _folders.Remove(watch);
            }
            else
            {
                _folders[watch] = to + folder[from.Length..];
            }
        }
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
            foreach (string name in NativeFiles.In(path).Where(name => FolderFiles.IsFolder(Path.Combine(path, name))))
            {
                Watch(Path.Combine(relative, name), depth + 1);
            }
        }
        catch (IOException)
        {
            // Gone in the meantime.
        }
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true)]
    private static partial int AddWatch(int descriptor, [MarshalUsing(typeof(NativePathMarshaller))] string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte* buffer, nuint count);
}
