using System.Collections.Concurrent;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files.Saves;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// Turns the files that a command leaves in its checkpoint folder into staged states. Each file is kept aside as soon as it is complete;
/// when those that were kept are one save, they are staged.
/// </summary>
internal sealed class CheckpointFolder : IDisposable
{
    /// <summary>At most this many captured states wait to be released; the newest save waits with them.</summary>
    public const int MaxUnreleased = 2;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    /// <summary>How often it is looked at the run's processes while no file changes.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RetryAfterProblem = TimeSpan.FromSeconds(5);

    private readonly string _root;
    private readonly TimeProvider _time;
    private readonly IFolderEvents _events;
    private readonly Action<FolderCaptured> _captured;
    private readonly FolderWarnings _warnings;
    private readonly FolderVersions _versions;
    private readonly StateStager _stager;
    private readonly FolderFollower _follower;
    private readonly CheckpointWatch _watch;
    private readonly HoldUp _holdUp;
    private readonly WaitingEvents _waiting;
    private readonly ConcurrentQueue<Action<string?>> _asked = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ProcessEnds _ends;
    private Task _loop = Task.CompletedTask;
    private int _unreleased;
    private long _notBefore;
    private int _disposed;
    private int? _completedAtStop;
    private long _looked;

    /// <summary>What the last attempt to keep or to stage files met with; null: it went well.</summary>
    private string? _problem;

    /// <summary>Whether all that a run leaves that ended well is a state.</summary>
    private readonly bool _takesTheEnd;

    /// <summary>Whether a run that ends well without a state is worth a word: its task says where it saves.</summary>
    private readonly bool _isExpected;

    /// <summary>Begins to note events; files that stand in the folder already make no checkpoint.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="staging">Where states are staged.</param>
    /// <param name="options">How.</param>
    /// <param name="learned">The order in which earlier runs saved.</param>
    /// <param name="time">The clock.</param>
    /// <param name="captured">Told of each state and of each warning.</param>
    /// <param name="events">Tells what happens in the folder; null: this system does.</param>
    public CheckpointFolder(
        string folder,
        string staging,
        FolderCaptureOptions options,
        IReadOnlyList<IReadOnlyList<string>> learned,
        TimeProvider time,
        Action<FolderCaptured> captured,
        IFolderEvents? events = null
    )
    {
        // Open files are found by their real path.
        _root = (OperatingSystem.IsWindows() ? null : Posix.RealPath(folder)) ?? folder;
        _time = time;
        _ends = new ProcessEnds(time);
        _events = events ?? (OperatingSystem.IsLinux() ? InotifyEvents.TryOpen(_root) : null) ?? (IFolderEvents)new PollingEvents(_root);
        _waiting = new WaitingEvents(_events, _root);
        _warnings = new FolderWarnings(what => captured(new FolderCaptured(null, what)));
        _versions = new FolderVersions(_root, Path.Combine(staging, ".versions"));
        _stager = new StateStager(_root, staging, options, _versions, _warnings);
        _takesTheEnd = options.Recognises != CheckpointCapture.Commit;
        _isExpected = options is { State.Count: > 0, RestoredStep: 0 };
        if (_events is PollingEvents && options.Recognises == CheckpointCapture.Auto)
        {
            // Looks that are a tenth of a second apart do not tell in which order files were written.
            options = options with
            {
                Mode = CheckpointCapture.Commit,
            };
            _warnings.Say(
                "the order in which files are saved cannot be seen here (Linux: raise fs.inotify.max_user_instances and max_user_watches): "
                    + "checkpoints are made when the script says so (actortrainer commit, or checkpoint.done-file) and at its end"
            );
        }

        _follower = new FolderFollower(_root, options, learned, _versions, _stager, _warnings, () => _ends.Witness?.Ranks(), _waiting);
        _holdUp = new HoldUp(_root, options, _follower);
        _watch = new CheckpointWatch(options.WarnAfter, time, what => captured(new FolderCaptured(null, what)));
        _captured = captured;
        _notBefore = time.GetTimestamp();
    }

    private SaveTracker<FileVersion> Tracker => _follower.Tracker;

    private long Now => _time.GetTimestamp() / (_time.TimestampFrequency / 1000);

    /// <param name="witness">Tells how processes of the run end.</param>
    /// <param name="watch">Whether to look by itself; else <see cref="Look"/> is called.</param>
    public void Begin(IRunWitness witness, bool watch = true)
    {
        _ends.Witness = witness;
        if (!watch)
        {
            return;
        }

        _loop = Task.Factory.StartNew(Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>A captured state was released.</summary>
    public void Released() => _ = Interlocked.Decrement(ref _unreleased);

    /// <summary>The run's own process has ended, and the run goes on for what it left behind.</summary>
    public void OnLeaderEnded(ProcessOutcome outcome, IEnumerable<int> leftBehind) => _ends.Witness?.OnLeaderEnded(outcome, leftBehind);

    /// <summary>The run is about to be asked to stop: what it saves from now on it saves for that.</summary>
    public void StopAsked()
    {
        if (_completedAtStop is null)
        {
            _completedAtStop = _follower.Completed;
            _follower.Doubt.StopAsked(OpenWriters.Of(_root).Keys);
        }
    }

    /// <summary>The script says that all it has written is one state.</summary>
    /// <param name="messenger">The process that brings the word and writes no file itself; null: there is none.</param>
    /// <param name="captured">Told when it is captured: null, or why it could not be.</param>
    public void Commit(int? messenger, Action<string?> captured)
    {
        if (messenger is { } pid)
        {
            _ends.Witness?.Overlook(pid);
        }

        _asked.Enqueue(captured);
    }

    /// <summary>
    /// Ends the watch and captures what is one save and not staged yet. Of a run that was ended by a signal no more
    /// than was known to be one before; of a run that ended well all that it left.
    /// </summary>
    public async Task FinishAsync(RunEnd end)
    {
        await _stop.CancelAsync();
        await _loop;

        // The run's own process has closed its files by its own will, whatever its exit code is.
        OnLeaderEnded(end.Violent ? ProcessOutcome.Killed : ProcessOutcome.Done, []);
        await _ends.SettleAsync();
        Finish(end);
    }

    /// <summary>The end of <see cref="FinishAsync"/>, once nothing else works with the folder.</summary>
    public void Finish(RunEnd end)
    {
        _waiting.Drain();
        bool killed = _ends.AnyIsEnding() || _ends.Killed || end.Violent || end.Forced;
        Apply(inPlaceIsWhole: !killed && (end.IsGood || _ends.Break == SaveBreak.None));
        Tracker.TakeIfEvident();
        CommitAsked();
        bool fails = _ends.Failed || (end is { Violent: false, ExitCode: not 0 } && _completedAtStop is null);
        if (fails || _follower.Doubt.IsBrokenOff)
        {
            _follower.DropDoubtful(Now);
        }

        bool bySelf = _completedAtStop is not { } asked || asked <= _follower.Completed - Tracker.OpenCount;
        if (end.IsGood && bySelf && _takesTheEnd && !Tracker.HasSaid)
        {
            TakeTheEnd();
        }

        StageDue();
        _watch.End(end.IsGood && _isExpected, Reason);
    }

    /// <summary>All that a good end has left, where anything of it is in no state yet.</summary>
    private void TakeTheEnd()
    {
        try
        {
            if (Tracker.HasOpen || _follower.HasUnseen())
            {
                if (_follower.Torn is { } torn)
                {
                    _warnings.Say(
                        $"what was saved last is no checkpoint: '{torn}' is not whole, since whatever wrote it was ended in the middle"
                    );
                }
                else if (_follower.CommitAll() is { } problem && Tracker.HasOpen)
                {
                    _warnings.Say($"what was saved last is no checkpoint: {problem}");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _warnings.Say($"what was saved last is no checkpoint: {e.Message}");
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _stop.Cancel();
            // Not before the loop has ended: the number of a closed descriptor may belong to another file at once.
            _ = _loop.ContinueWith(
                _ =>
                {
                    _events.Dispose();
                    _ends.Dispose();
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private void Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (!_waiting.AreReadAhead)
            {
                _events.Wait(Tick, _stop.Token);
            }

            Look();
        }
    }

    /// <summary>One look at what has happened.</summary>
    public void Look()
    {
        _waiting.Drain();
        if (_waiting.Count == 0 && _asked.IsEmpty && Tracker.Due is null && _time.GetElapsedTime(_looked) < LookEvery)
        {
            LookForSaves();
            return;
        }

        _looked = _time.GetTimestamp();
        // After the events were read, not before: a process that is not ending now was not when they happened.
        if (!_ends.AnyIsEnding())
        {
            SaveBreak ends = _ends.Break;
            if (_ends.Failed)
            {
                _follower.DropDoubtful(Now);
            }

            _ends.Clear();
            Apply(inPlaceIsWhole: ends == SaveBreak.None);
            Tracker.Break(ends);
        }

        CommitAsked();
        LookForSaves();
    }

    private void LookForSaves()
    {
        if (_waiting.Count == 0)
        {
            // What waits for a process to end was no silence.
            Tracker.Tick(Now, _stager.IsAnyBegunAfter(_follower.Completed));
        }

        if (Tracker.Unclear is { } unclear)
        {
            _warnings.Say(
                $"no checkpoint: {unclear}. Let the script say when a save is complete (actortrainer commit, or checkpoint.done-file), "
                    + "or rename each save in as one folder"
            );
        }

        if (_follower.DoubtfulInDue(Now) is null)
        {
            StageIfRoom();
        }

        _watch.Look(Tracker.HasOpen || Tracker.Due is not null, Reason);
    }

    private string Reason() => _holdUp.Reason(_problem, Volatile.Read(ref _unreleased));

    private void CommitAsked()
    {
        while (_asked.TryDequeue(out Action<string?>? captured))
        {
            try
            {
                string? problem = _follower.CommitAll();
                if (problem is null)
                {
                    StageDue();
                    problem = Tracker.Due is null ? null : "the files could not be staged: see the task's events";
                }

                captured(problem);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                captured(e.Message);
            }
        }
    }

    /// <param name="inPlaceIsWhole">
    /// Whether those that closed files did so by their own will; else only files whose format tells that they are whole are.
    /// </param>
    private void Apply(bool inPlaceIsWhole)
    {
        bool any = _waiting.Count > 0;
        if (_waiting.TellOfMore)
        {
            // The script has gone on: what was due before is whole.
            StageIfRoom();
        }

        try
        {
            // What is told meanwhile waits for the next look: of whoever did that it is not known whether it lives.
            for (int left = _waiting.Count; left > 0; left--)
            {
                _follower.Apply(_waiting.Dequeue(), inPlaceIsWhole, Now);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tracker.Break(SaveBreak.Void);
            _problem = $"a file of '{_root}' could not be kept: {e.Message}";
            _warnings.Say($"no checkpoint: {_problem}");
        }

        if (any)
        {
            _versions.KeepOnly(Tracker.Needed);
        }
    }

    private void StageIfRoom()
    {
        if (Volatile.Read(ref _unreleased) < MaxUnreleased && _time.GetTimestamp() >= _notBefore)
        {
            StageDue();
        }
    }

    private void StageDue()
    {
        if (Tracker.Due is not { } due)
        {
            return;
        }

        try
        {
            if (_stager.Stage(due, _follower.Completed, Tracker.DueIsInferred, Tracker.Learned(), Tracker.HasSaid) is { } staged)
            {
                _ = Interlocked.Increment(ref _unreleased);
                _problem = null;
                _watch.Captured();
                _captured(new FolderCaptured(staged, null));
            }

            Tracker.Taken();
            _versions.KeepOnly(Tracker.Needed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _notBefore = _time.GetTimestamp() + (long)(RetryAfterProblem.TotalSeconds * _time.TimestampFrequency);
            _problem = $"the files in '{_root}' could not be staged: {e.Message}";
            _warnings.Say(_problem);
        }
    }
}
