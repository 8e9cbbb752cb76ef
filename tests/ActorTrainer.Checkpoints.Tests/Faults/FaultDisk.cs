namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>The process is gone: nothing that it would still do happens.</summary>
internal sealed class KilledException() : Exception("killed");

/// <summary>What goes wrong at a step, counted from 0.</summary>
internal abstract record Fault(int At);

/// <summary>The process is killed before the step, or when half of what it writes is written.</summary>
internal sealed record Kill(int At, bool Torn = false) : Fault(At);

/// <summary>The step is refused, or this one and all after it. Of a write to a full disk the first half is done.</summary>
internal sealed record Refusal(int At, int Error, bool Lasting = false) : Fault(At)
{
    public const int InputOutput = 5;
    public const int AccessDenied = 13;
    public const int NoSpace = 28;

    public Exception ToThrow(DiskStep step) =>
        Error switch
        {
            NoSpace => new IOException("No space left on device", NoSpace),
            InputOutput => new IOException("Input/output error", InputOutput),
            // As DirectorySync says it.
            _ when step.Action == DiskAction.SyncFolder => new IOException("Permission denied", AccessDenied),
            _ => new UnauthorizedAccessException("Access to the path is denied."),
        };
}

/// <summary>
/// A folder on the real disk whose changes are counted and kept in a list, and one of which goes wrong as planned. Nothing is really
/// synced: what a sync promises is the business of <see cref="DiskModel"/>.
/// </summary>
internal sealed class FaultDisk(string root, IReadOnlyList<DiskStep> before, Fault? fault = null) : IDisk
{
    private readonly Lock _lock = new();
    private readonly List<DiskStep> _steps = [];
    private bool _killed;

    /// <summary>How many changes were asked for.</summary>
    public int Count { get; private set; }

    /// <summary>Whether links are made; otherwise the file system cannot.</summary>
    public bool CanLink { get; init; } = true;

    /// <summary>What was done, in its order.</summary>
    public IReadOnlyList<DiskStep> Steps => _steps;

    /// <summary>What was done, and what had been done before.</summary>
    public IReadOnlyList<DiskStep> AllSteps => [.. before, .. _steps];

    public IDiskFile Create(string path, long expected = 0) =>
        Do(new DiskStep(DiskAction.Create, Relative(path)), () => new FaultFile(this, path, RealDisk.Instance.Create(path, expected)));

    public void Rename(string from, string to, bool overwrite) =>
        Do(
            new DiskStep(DiskAction.Rename, Relative(from), Relative(to)),
            () =>
            {
                RealDisk.Instance.Rename(from, to, overwrite);
                return true;
            }
        );

    public bool TryLink(string existing, string name)
    {
        try
        {
            return CanLink
                && Do(
                    new DiskStep(DiskAction.Link, Relative(existing), Relative(name)),
                    () => RealDisk.Instance.TryLink(existing, name) ? true : throw new IOException("it cannot be linked")
                );
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            return false;
        }
    }

    public void Unlink(string path) =>
        Do(
            new DiskStep(DiskAction.Unlink, Relative(path)),
            () =>
            {
                RealDisk.Instance.Unlink(path);
                return true;
            }
        );

    public void MakeFolder(string path) =>
        Do(
            new DiskStep(DiskAction.MakeFolder, Relative(path)),
            () =>
            {
                RealDisk.Instance.MakeFolder(path);
                return true;
            }
        );

    public void SyncFolder(string path) =>
        Do(
            new DiskStep(DiskAction.SyncFolder, Relative(path)),
            () => Directory.Exists(path) ? true : throw new IOException("No such file or directory", 2)
        );

    private string Relative(string path) => Path.GetRelativePath(root, path) is var relative && relative == "." ? "" : relative;

    private T Do<T>(DiskStep step, Func<T> effect, Action<int>? half = null)
    {
        lock (_lock)
        {
            int at = Count++;
            if (_killed || (fault is Kill && fault.At == at))
            {
                if (!_killed && fault is Kill { Torn: true })
                {
                    Half(step, half);
                }

                _killed = true;
                throw new KilledException();
            }

            if (fault is Refusal refusal && (refusal.At == at || (refusal.Lasting && at > refusal.At)))
            {
                if (refusal.Error == Refusal.NoSpace)
                {
                    Half(step, half);
                }

                throw refusal.ToThrow(step);
            }

            T done = effect();
            _steps.Add(step);
            return done;
        }
    }

    private void Half(DiskStep step, Action<int>? write)
    {
        if (write is not null && step.Bytes!.Length > 1)
        {
            int length = step.Bytes.Length / 2;
            write(length);
            _steps.Add(step with { Bytes = step.Bytes[..length] });
        }
    }

    private sealed class FaultFile(FaultDisk disk, string path, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            byte[] copy = bytes.ToArray();
            disk.Do(
                new DiskStep(DiskAction.Append, disk.Relative(path), Bytes: copy),
                () =>
                {
                    file.Append(copy);
                    return true;
                },
                length => file.Append(copy.AsSpan(0, length))
            );
        }

        public void Sync() => disk.Do(new DiskStep(DiskAction.Sync, disk.Relative(path)), () => true);

        public void Dispose() => file.Dispose();
    }
}
