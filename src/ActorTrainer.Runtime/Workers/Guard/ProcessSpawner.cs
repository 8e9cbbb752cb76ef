using System.Runtime.InteropServices;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// Starts processes by <c>posix_spawn</c>: System.Diagnostics.Process would wait for its children itself and so take away the exit
/// states that the guard, as a subreaper, has to collect in one place.
/// </summary>
internal static unsafe partial class ProcessSpawner
{
    // glibc 336 and 80 bytes, musl 336 and 72, macOS two pointers.
    private const int OpaqueSize = 1024;
    private const short SetGroup = 0x02;
    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short MacCloseOnExecByDefault = 0x4000;
    private const int ReadOnly = 0;
    private static readonly Lock OneUmask = new();

    /// <summary>
    /// Starts a process in a group of its own with default signal handling, standard input from nowhere and both outputs into
    /// <paramref name="output"/>.
    /// </summary>
    /// <returns>0 and the process id, or an error number.</returns>
    public static int Spawn(GuardStart start, int output, out int pid)
    {
        byte* attributes = (byte*)NativeMemory.AllocZeroed(OpaqueSize);
        byte* actions = (byte*)NativeMemory.AllocZeroed(OpaqueSize);
        byte* signals = (byte*)NativeMemory.AllocZeroed(OpaqueSize);
        byte** argv = ToNative(start.Arguments);
        byte** envp = ToNative(start.Environment);
        try
        {
            Check(AttributesInit(attributes));
            Check(ActionsInit(actions));
            short flags = SetGroup | SetSignalDefaults | SetSignalMask;
            Check(SetFlags(attributes, (short)(OperatingSystem.IsMacOS() ? flags | MacCloseOnExecByDefault : flags)));
            Check(SetProcessGroup(attributes, 0));
            Check(EmptySet(signals));
            Check(SetMask(attributes, signals));
            // The guard ignores SIGINT, SIGTERM and SIGHUP, and an ignored signal stays ignored over exec.
            Check(FillSet(signals));
            Check(SetDefaults(attributes, signals));
            Check(AddChangeDirectory(actions, start.WorkingDirectory));
            Check(AddOpen(actions, 0, "/dev/null", ReadOnly, 0));
            Check(AddDuplicate(actions, output, 1));
            Check(AddDuplicate(actions, output, 2));
            int child = 0;
            int error;
            lock (OneUmask)
            {
                // A process inherits it, and it is one for all threads: what else is created meanwhile sets its mode itself (OutputLog).
                uint? own = start.Umask is { } umask ? Umask((uint)umask) : null;
                error = PosixSpawn(&child, start.Executable, actions, attributes, argv, envp);
                _ = own is { } before ? Umask(before) : 0;
            }

            pid = child;
            return error;
        }
        finally
        {
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
            NativeMemory.Free(attributes);
            NativeMemory.Free(actions);
            NativeMemory.Free(signals);
            FreeNative(argv);
            FreeNative(envp);
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new IOException($"preparing a process failed: {Posix.Describe(error)}");
        }
    }

    private static byte** ToNative(IReadOnlyList<string> texts)
    {
        byte** array = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            array[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        return array;
    }

    private static void FreeNative(byte** array)
    {
        for (byte** item = array; *item is not null; item++)
        {
            Marshal.FreeCoTaskMem((nint)(*item));
        }

        NativeMemory.Free(array);
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(int* pid, string path, byte* actions, byte* attributes, byte** argv, byte** envp);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setpgroup")]
    private static partial int SetProcessGroup(byte* attributes, int group);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddChangeDirectory(byte* actions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int descriptor, int target);

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint Umask(uint mask);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySet(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSet(byte* signals);
}
