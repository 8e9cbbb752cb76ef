using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>What a watched folder reports.</summary>
/// <param name="State">A captured state, or null.</param>
/// <param name="Warning">What the task's owner has to know, once: why nothing was captured, or what no checkpoint has; or null.</param>
internal readonly record struct FolderCaptured(StagedState? State, string? Warning);

/// <summary>
/// Turns the files that a command leaves in its checkpoint folder into staged states: when the folder has been quiet for a moment and
/// nobody writes in it, all its files are captured as one.
/// </summary>
internal sealed class CheckpointFolder : IDisposable
{
    /// <summary>At most this many captured states wait to be released; the newest files wait with them.</summary>
    public const int MaxUnreleased = 2;

    /// <summary>As many different things are said of one run.</summary>
    private const int MaxWarnings = 20;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan WriterRecheck = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RetryAfterProblem = TimeSpan.FromSeconds(5);

    /// <summary>How long before its end was noticed a killed process may have closed a file that it had not finished.</summary>
    private static readonly TimeSpan TornWindow = TimeSpan.FromMilliseconds(300);

    private readonly string _root;
    private readonly string _staging;
    private readonly TimeProvider _time;
    private readonly IFolderEvents _events;
    private readonly Action<FolderCaptured> _captured;
    private readonly HashSet<string> _renamedIn = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<string> _said = [];
    private IReadOnlyList<FileMark> _lastFiles;
    private Task _loop = Task.CompletedTask;
    private long _step;
    private int _number;
    private int _unreleased;
    private bool _changed;
    private bool _changedByRename;
    private long _lastEvent;
    private long _lastInPlace;
    private long _notBefore;
    private int _disposed;
    private int _pid;

    /// <summary>Whether a file was closed of which it is not certain that its writer did so by its own will.</summary>
    private bool _unconfirmed;

    /// <summary>Begins to note events; files that stand in the folder already make no checkpoint.</summary>
    public CheckpointFolder(string folder, string staging, long restoredStep, TimeProvider time, Action<FolderCaptured> captured)
    {
        // Open files are found by their real path.
        _root = (OperatingSystem.IsWindows() ? null : Posix.RealPath(folder)) ?? folder;
        _staging = staging;
        _step = restoredStep;
        _time = time;
        _captured = captured;
        _events = (OperatingSystem.IsLinux() ? InotifyEvents.TryOpen(_root) : null) ?? (IFolderEvents)new PollingEvents(_root);
        _lastFiles = FolderFiles.Of(_root).Files;
        _lastEvent = _lastInPlace = _notBefore = time.GetTimestamp();
    }

    /// <param name="pid">The run's own process.</param>
    public void Begin(int pid)
    {
        _pid = pid;
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>A captured state was released.</summary>
    public void Released() => _ = Interlocked.Decrement(ref _unreleased);

    /// <summary>
    /// Ends the watch and captures what is not saved yet. After a violent end nothing is captured when a file was closed by it (known of
    /// the run's own process) or shortly before (which may have been the end of a child): it may be half written, and half a set of files
    /// is no checkpoint.
    /// </summary>
    /// <param name="violent">Whether the process was ended by a signal.</param>
    /// <param name="endNoticed">When its end was noticed.</param>
    public async Task FinishAsync(bool violent, long endNoticed)
    {
        await _stop.CancelAsync();
        await _loop;
        long earliestTorn = endNoticed - (long)(TornWindow.TotalSeconds * _time.TimestampFrequency);
        Drain();
        bool torn = violent && (_unconfirmed || _lastInPlace >= earliestTorn);
        if (_changed && !torn)
        {
            Capture();
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _stop.Cancel();
            // Not before the loop has ended: the number of a closed descriptor may belong to another file at once.
            _ = _loop.ContinueWith(_ => _events.Dispose(), TaskScheduler.Default);
        }
    }

    private async Task LoopAsync()
    {
        using PeriodicTimer timer = new(Tick, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                Drain();
                // After the events were read, not before: a process that is not ending now was not when they happened.
                _unconfirmed = _unconfirmed && IsEnding();
                long now = _time.GetTimestamp();
                if (
                    !_changed
                    || _unconfirmed
                    || now < _notBefore
                    || _time.GetElapsedTime(_lastEvent, now) < Quiet
                    || Volatile.Read(ref _unreleased) >= MaxUnreleased
                )
                {
                    continue;
                }

                if (OpenWriters.Any(_root))
                {
                    WaitFor(WriterRecheck);
                    continue;
                }

                Capture();
            }
        }
        catch (OperationCanceledException)
        {
            // The run ended.
        }
    }

    private bool IsEnding() => OperatingSystem.IsLinux() ? ProcessTable.IsEnding(_pid) : Posix.Kill(_pid, 0) != 0;

    private void WaitFor(TimeSpan delay) => _notBefore = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);

    private void Drain()
    {
        foreach (FolderEvent seen in _events.Drain())
        {
            if (!FolderCapture.IsWaitedFor(seen.RelativePath))
            {
                continue;
            }

            _lastEvent = _time.GetTimestamp();
            switch (seen.Kind)
            {
                case FolderEventKind.MovedIn:
                    _ = _renamedIn.Add(seen.RelativePath);
                    _changed = _changedByRename = true;
                    break;
                case FolderEventKind.Written:
                    _ = _renamedIn.Remove(seen.RelativePath);
                    _lastInPlace = _lastEvent;
                    _unconfirmed = true;
                    _changed = true;
                    break;
                default:
                    _ = _renamedIn.Remove(seen.RelativePath);
                    break;
            }
        }
    }

    private void Capture()
    {
        try
        {
            (IReadOnlyList<FileMark> files, IReadOnlyList<string> leftOut) = FolderFiles.Of(_root);
            bool same = !_changedByRename && files.SequenceEqual(_lastFiles);
            if (files.Count > 0 && !same)
            {
                if (CutShort(files) is { } cut)
                {
                    Warn(cut);
                    WaitFor(WriterRecheck);
                    return;
                }

                string id = $"files-{_number + 1}";
                if (!FolderCapture.TryCapture(_root, Path.Combine(_staging, id), files, _renamedIn.Contains))
                {
                    // It changed under our hands; more events follow or have come already.
                    WaitFor(Quiet);
                    return;
                }

                _number++;
                _step++;
                _lastFiles = files;
                _ = Interlocked.Increment(ref _unreleased);
                _captured(new FolderCaptured(new StagedState(id, _step, 0, "files", new Dictionary<string, double>()), null));
                foreach (string what in leftOut)
                {
                    Warn(what);
                }
            }

            _changed = _changedByRename = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WaitFor(RetryAfterProblem);
            Warn($"the files in '{_root}' could not be staged in '{_staging}': {e.Message}");
        }
    }

    /// <summary>A file that is not written to its end is in no checkpoint, whoever has closed it and however its process ended.</summary>
    private string? CutShort(IReadOnlyList<FileMark> files)
    {
        foreach (FileMark file in files.Except(_lastFiles).Where(file => file.Link is null && FolderCapture.IsWaitedFor(file.RelativePath)))
        {
            if (FileFormats.CutShort(Path.Combine(_root, file.RelativePath)) is { } problem)
            {
                return $"no checkpoint as long as '{file.RelativePath}' {problem}";
            }
        }

        return null;
    }

    private void Warn(string what)
    {
        if (_said.Count < MaxWarnings && _said.Add(what))
        {
            _captured(new FolderCaptured(null, what));
        }
    }
}
