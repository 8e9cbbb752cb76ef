using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>Who took the write lock last, as the lock file says.</summary>
internal readonly record struct LockHolder(ProcessIdentity Process, long Incarnation);

/// <summary>
/// The write lock of all processes: a flock on a file beside the database. The kernel queues the waiters and frees the lock with
/// the holder's death. The file names the holder, so that one that is stopped can be ended.
/// </summary>
internal sealed class JournalLock : IDisposable
{
    private const int RecordBytes = 128;
    private readonly SafeFileHandle _file;
    private byte[] _record = [];
    private long _recordIncarnation = -1;

    private JournalLock(string path, SafeFileHandle file)
    {
        Path = path;
        _file = file;
    }

    public string Path { get; }

    /// <exception cref="JournalOpenException">The file cannot be opened for writing.</exception>
    public static JournalLock Open(string path)
    {
        SafeFileHandle file = NativeMethods.Open(path, create: true, out int error) ?? throw new JournalOpenException(
            JournalOpenFailure.Unusable,
            $"The journal's lock file {path} cannot be opened for writing: {NativeMethods.Describe(error)}. " +
            "Make the folder writable for this user, or set actortrainer.journal.path.");
        return new JournalLock(path, file);
    }

    /// <summary>Takes the lock when it is free.</summary>
    public bool TryAcquire(long incarnation) => Acquired(NativeMethods.Flock(_file, NativeMethods.LockExclusive | NativeMethods.LockNonBlocking), incarnation);

    /// <summary>Waits for the lock, however long.</summary>
    public void Acquire(long incarnation)
    {
        int error = NativeMethods.Flock(_file, NativeMethods.LockExclusive);
        if (!Acquired(error, incarnation))
        {
            throw new IOException($"Locking {Path} failed: {NativeMethods.Describe(error)}.");
        }
    }

    public void Release() => NativeMethods.Flock(_file, NativeMethods.LockUnlock);

    /// <summary>
    /// Who wrote into the file last, or null. While somebody waits, that is the holder, unless a program that is none of ours holds
    /// the lock.
    /// </summary>
    public LockHolder? ReadHolder()
    {
        byte[] record = new byte[RecordBytes];
        int length;
        try
        {
            length = RandomAccess.Read(_file, record, 0);
        }
        catch (IOException)
        {
            return null;
        }

        string[] fields = Encoding.ASCII.GetString(record, 0, length).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return fields.Length >= 4 &&
            int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid) &&
            ulong.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong start) &&
            long.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out long incarnation)
                ? new LockHolder(new ProcessIdentity(pid, start, fields[3]), incarnation)
                : null;
    }

    /// <summary>The pid of the process that holds the lock as the kernel sees it (also a program that is none of ours), or null.</summary>
    public int? FindHolderPid() => KernelLocks.FindFlockHolder(Path);

    public void Dispose() => _file.Dispose();

    private bool Acquired(int error, long incarnation)
    {
        if (error != 0)
        {
            return false;
        }

        if (_recordIncarnation != incarnation)
        {
            ProcessIdentity me = ProcessIdentity.Current;
            string text = string.Create(CultureInfo.InvariantCulture, $"{me.Pid} {me.StartTime} {incarnation} {me.Namespace} ");
            _record = Encoding.ASCII.GetBytes(text.PadRight(RecordBytes - 1) + "\n");
            _recordIncarnation = incarnation;
        }

        try
        {
            RandomAccess.Write(_file, _record, 0);
        }
        catch (IOException)
        {
            // A full disk: the file keeps an older name, so that this holder cannot be ended while stopped. The write that follows
            // reports the disk.
        }

        return true;
    }
}
