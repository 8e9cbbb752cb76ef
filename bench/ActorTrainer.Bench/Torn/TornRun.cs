using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Bench.Torn;

/// <summary>How a run ends.</summary>
internal enum Death
{
    /// <summary>Its own process is killed.</summary>
    Killed,

    /// <summary>A child of it is killed; then it exits with 1 itself.</summary>
    ChildKilled,

    /// <summary>A child is killed, the launcher starts another one from the last save, and is killed later.</summary>
    Restarted,

    /// <summary>It fails in the middle: its files are closed, and then it exits with 1.</summary>
    Failed,

    /// <summary>Its node is gone: nothing of it is captured any more.</summary>
    NodeLost,
}

/// <summary>
/// One life of a script beside the product's own capture of its folder, in virtual time: it saves again and again until it dies at a moment
/// that chance chooses.
/// </summary>
internal sealed class TornRun : IDisposable
{
    private const int LongestGapMs = 120_000;
    private const int ShortestGapMs = 100;
    private const int LooksAtProcessesEveryMs = 500;
    private const int LongestTrainingMs = 900_000;
    private const int LongestFailureMs = 900;

    private readonly string _folder;
    private readonly string _staging;
    private readonly SavePattern _pattern;
    private readonly Random _chance;
    private readonly VirtualTime _time = new();
    private readonly Witness _witness;
    private readonly CheckpointFolder _capture;
    private readonly SaveJudge _judge;
    private readonly bool _naive;
    private readonly SaveFiles _files;
    private int _opsLeft;
    private bool _dead;

    public TornRun(string directory, SavePattern pattern, Random chance, Restored restored, bool naive)
    {
        _folder = Directory.CreateDirectory(Path.Combine(directory, "checkpoint")).FullName;
        _staging = Directory.CreateDirectory(Path.Combine(directory, "staging")).FullName;
        string restore = Path.Combine(directory, "restore");
        _pattern = pattern;
        _chance = chance;
        _naive = naive;
        foreach ((string path, int save) in restored.Files)
        {
            foreach (string folder in new[] { _folder, restore })
            {
                _ = Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
                File.WriteAllText(Path.Combine(folder, path), SaveFiles.Text(save));
            }
        }

        _files = new SaveFiles(_folder, restored.Files, Attempt, MayLook);
        _judge = new SaveJudge(restored);
        _capture = new CheckpointFolder(
            _folder,
            _staging,
            new FolderCaptureOptions(RestoreFolder: restore),
            restored.Order,
            _time,
            OnCaptured,
            InotifyEvents.TryOpen(_folder)
                ?? throw new InvalidOperationException("no inotify instance is left: raise fs.inotify.max_user_instances")
        );
        _witness = new Witness(pattern.Ranks);
        _capture.Begin(_witness, watch: false);
    }

    public SaveJudge Judge => _judge;

    /// <summary>Saves until it dies.</summary>
    /// <param name="saves">At most so many saves.</param>
    public void Run(int first, int saves, Death death)
    {
        int dyingSave = _chance.Next(saves);
        bool restarted = false;
        for (int save = first; !_dead; save++)
        {
            _time.Advance(_chance.Next(ShortestGapMs, _chance.Next(2) == 0 ? LongestTrainingMs : LongestGapMs));
            Look();
            IReadOnlyList<SaveStep> steps = _pattern.Save(save, _chance);
            _opsLeft = save - first >= dyingSave ? _chance.Next(1 + (steps.Count * 4)) : int.MaxValue;
            Save(save, steps);
            if (_dead && death == Death.Restarted && !restarted)
            {
                restarted = true;
                _dead = false;
                Die(child: true);
                _judge.Aborted(save, _files.Files);
                dyingSave += 1 + _chance.Next(saves);
            }
        }

        switch (death)
        {
            case Death.ChildKilled:
                if (_chance.Next(2) == 0)
                {
                    Die(child: true);
                }
                else
                {
                    // Its launcher ends as soon as it does.
                    _witness.Now = [ProcessOutcome.Killed];
                }

                _capture.Finish(new RunEnd(Violent: false, 1));
                break;
            case Death.Failed:
                Look();
                _time.Advance(_chance.Next(LongestFailureMs));
                MayLook();
                _capture.Finish(new RunEnd(Violent: false, 1));
                break;
            case Death.NodeLost:
                break;
            default:
                _witness.Now = [ProcessOutcome.Pending];
                _time.Advance(LooksAtProcessesEveryMs);
                Look();
                _capture.Finish(new RunEnd(Violent: true, null));
                break;
        }
    }

    public void Dispose() => _capture.Dispose();

    private void Die(bool child)
    {
        _witness.Now = [ProcessOutcome.Pending];
        _time.Advance(LooksAtProcessesEveryMs);
        _capture.Look();
        _witness.Now = child ? [ProcessOutcome.Killed] : [];
        _time.Advance(LooksAtProcessesEveryMs);
        _capture.Look();
        _witness.Now = [];
    }

    private void Save(int save, IReadOnlyList<SaveStep> steps)
    {
        for (int i = 0; i < steps.Count; i++)
        {
            if (i > 0)
            {
                _time.Advance(_chance.Next(ShortestGapMs, _chance.Next(2) == 0 ? LongestGapMs : 1000));
            }

            if (!_files.Write(save, steps[i]))
            {
                return;
            }

            _judge.Written(steps, i, _files.Files);
            MayLook();
        }
    }

    private bool Attempt(Action action)
    {
        if (_opsLeft-- <= 0)
        {
            _dead = true;
            return false;
        }

        action();
        return true;
    }

    private void MayLook()
    {
        if (_chance.Next(2) == 0)
        {
            Look();
        }
    }

    private void Look()
    {
        if (_naive)
        {
            _judge.Captured(SaveFiles.In(_folder), [], inferred: false);
        }
        else
        {
            _capture.Look();
        }
    }

    private void OnCaptured(FolderCaptured captured)
    {
        if (captured.State is { } state)
        {
            string folder = Path.Combine(_staging, state.Id);
            IReadOnlyList<IReadOnlyList<string>> order = LearnedOrder.Take(folder);
            _judge.Captured(SaveFiles.In(folder), order, state.Reason == "inferred");
            Directory.Delete(folder, recursive: true);
            _capture.Released();
        }
    }

    private sealed class Witness(int ranks) : IRunWitness
    {
        public IReadOnlyList<ProcessOutcome> Now { get; set; } = [];

        public IReadOnlyList<ProcessOutcome> Ends() => Now;

        public void Overlook(int pid) { }

        public int? Ranks() => ranks;

        public void OnLeaderEnded(ProcessOutcome outcome, IEnumerable<int> leftBehind) { }

        public void Dispose() { }
    }

    private sealed class VirtualTime : TimeProvider
    {
        private long _milliseconds = 1;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _milliseconds;

        public void Advance(long milliseconds) => _milliseconds += milliseconds;
    }
}
