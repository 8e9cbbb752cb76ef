using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// Follows a run's own process and its descendants by <c>/proc</c>, and learns how they ended from the kernel (<c>PIDFD_GET_INFO</c>, Linux
/// 6.15 and later; before that only that they did). A process that lives shorter than a look at them is not seen.
/// </summary>
internal sealed unsafe partial class RunWitness(int leader, TimeProvider time) : IRunWitness
{
    private const nuint GetInfo = 0xC040FF0B;
    private const ulong ExitInfo = 8;
    private const int InfoBytes = 64;
    private const int ExitCodeAt = 60;
    private const int SignalMask = 0x7f;

    /// <summary>How often new descendants are looked for at most: one that is started for a save has to be known by its end.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>How long an ended process is waited for that nobody collects.</summary>
    private static readonly TimeSpan CollectedWithin = TimeSpan.FromSeconds(5);

    private readonly Dictionary<int, Member> _members = [];
    private readonly ConcurrentQueue<int> _leftBehind = new();
    private readonly ConcurrentDictionary<int, long> _overlooked = new();
    private volatile ProcessOutcome _leader = ProcessOutcome.Pending;
    private long _looked;

    public void OnLeaderEnded(ProcessOutcome outcome, IEnumerable<int> leftBehind)
    {
        foreach (int pid in leftBehind)
        {
            _leftBehind.Enqueue(pid);
        }

        _leader = outcome;
    }

    public IReadOnlyList<ProcessOutcome> Ends()
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }

        List<ProcessOutcome> ends = [];
        foreach ((int pid, Member member) in _members.ToArray())
        {
            if (!ProcessTable.IsEnding(pid, member.StartTicks))
            {
                continue;
            }

            member.EndSeen ??= time.GetTimestamp();
            ProcessOutcome outcome =
                pid == leader ? _leader
                : _overlooked.TryGetValue(pid, out long startTicks) && startTicks == member.StartTicks ? ProcessOutcome.Done
                : OutcomeOf(member);
            ends.Add(outcome);
            if (outcome != ProcessOutcome.Pending)
            {
                Forget(pid, member);
            }
        }

        if (_looked == 0 || time.GetElapsedTime(_looked) >= LookEvery)
        {
            _looked = time.GetTimestamp();
            foreach (int pid in _leader == ProcessOutcome.Pending ? [leader] : _members.Keys.ToArray())
            {
                Add(pid);
            }

            while (_leftBehind.TryDequeue(out int pid))
            {
                Add(pid);
            }
        }

        return ends;
    }

    public void Overlook(int pid)
    {
        foreach ((int former, long startTicks) in _overlooked)
        {
            if (ProcessTable.ReadOne(former) is not { } living || living.StartTicks != startTicks)
            {
                _ = _overlooked.TryRemove(former, out _);
            }
        }

        if (ProcessTable.ReadOne(pid) is { } entry)
        {
            _overlooked[pid] = entry.StartTicks;
        }
    }

    public int? Ranks()
    {
        int? most = null;
        foreach (int pid in OperatingSystem.IsLinux() ? _members.Keys.ToArray() : [])
        {
            most = WorldSizeOf(pid) is { } size && size > (most ?? 0) ? size : most;
        }

        return most;
    }

    public void Dispose()
    {
        foreach ((int pid, Member member) in _members.ToArray())
        {
            Forget(pid, member);
        }
    }

    private ProcessOutcome OutcomeOf(Member member)
    {
        byte* info = stackalloc byte[InfoBytes];
        Span<byte> bytes = new(info, InfoBytes);
        bytes.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ExitInfo);
        if (Ioctl(member.Descriptor, GetInfo, info) != 0)
        {
            return ProcessOutcome.Unclear;
        }

        if ((BinaryPrimitives.ReadUInt64LittleEndian(bytes) & ExitInfo) != 0)
        {
            int status = BinaryPrimitives.ReadInt32LittleEndian(bytes[ExitCodeAt..]);
            return (status & SignalMask) != 0 ? ProcessOutcome.Killed
                : status == 0 ? ProcessOutcome.Done
                : ProcessOutcome.Failed;
        }

        return time.GetElapsedTime(member.EndSeen ?? 0) < CollectedWithin ? ProcessOutcome.Pending : ProcessOutcome.Unclear;
    }

    private void Add(int pid)
    {
        if (!_members.ContainsKey(pid))
        {
            int descriptor = PidFdOpen(pid);
            if (descriptor < 0 || ProcessTable.ReadOne(pid) is not { } entry)
            {
                Close(descriptor);
                return;
            }

            _members.Add(pid, new Member(descriptor, entry.StartTicks));
        }

        foreach (int child in ChildrenOf(pid))
        {
            Add(child);
        }
    }

    private static int? WorldSizeOf(int pid) =>
        int.TryParse(ProcessTable.EnvironmentOf(pid, "WORLD_SIZE"), NumberStyles.None, CultureInfo.InvariantCulture, out int size)
            ? size
            : null;

    private static List<int> ChildrenOf(int pid)
    {
        List<int> children = [];
        try
        {
            foreach (string thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                foreach (string child in File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    children.Add(int.Parse(child, CultureInfo.InvariantCulture));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or this kernel does not list children.
        }

        return children;
    }

    private void Forget(int pid, Member member)
    {
        _ = _members.Remove(pid);
        Close(member.Descriptor);
    }

    private static void Close(int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Posix.Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(int descriptor, nuint request, byte* argument);

    private static int PidFdOpen(int pid)
    {
        // The same number on every architecture that .NET runs on.
        const int pidFdOpen = 434;
        return (int)Syscall(pidFdOpen, pid, 0);
    }

    private sealed class Member(int descriptor, long startTicks)
    {
        public int Descriptor { get; } = descriptor;

        public long StartTicks { get; } = startTicks;

        public long? EndSeen { get; set; }
    }
}
