using System.Collections.Immutable;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>
/// Follows the files of a run and says when those that stand are one save. Pure: it takes what was seen and when, and keeps a handle of
/// each path's newest version.
/// </summary>
/// <typeparam name="T">What stands for a version of a file.</typeparam>
/// <param name="mode">How states are recognised.</param>
/// <param name="standing">What stood in the folder when the run began: paths with their versions.</param>
/// <param name="learned">Paths in the order in which saves of earlier runs completed them, save by save.</param>
/// <param name="layouts">Known checkpoint layouts, which show by themselves when they are complete; null: none.</param>
internal sealed class SaveTracker<T>(
    CheckpointCapture mode,
    IReadOnlyDictionary<string, T> standing,
    IReadOnlyList<IReadOnlyList<string>> learned,
    ISaveEvidence? layouts = null
)
    where T : class
{
    /// <summary>Of more in one save, no order is looked for.</summary>
    private const int MostCompletions = 3000;

    /// <summary>After so many, saves that show the order stand for all that came before: a run may save for weeks.</summary>
    private const int Enough = 300;
    private const int ExamplesOfEach = 2;

    /// <summary>A file that is renamed next makes an order unclear for a moment.</summary>
    private const int CertainlyUnclear = 5;

    /// <summary>After so many completions no order will come to light; to keep versions costs the disk's time.</summary>
    private const int Hopeless = 50;
    private const int MostLearnedPaths = 1000;
    private const long RenamedWithin = 2000;

    /// <summary>A script may add to what a framework has written: so long nothing may follow its last file.</summary>
    private const long EvidenceSettles = 3000;

    private readonly List<Completion> _run = [];
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);
    private readonly string[] _standing = [.. standing.Keys.Select(PathKeys.Fold).Distinct()];
    private readonly HashSet<string> _templates = new(StringComparer.Ordinal);
    private List<Completion> _earlier = LearnedOrder.Expand(learned);
    private ImmutableSortedDictionary<string, T?> _state = Begin(standing);
    private ImmutableSortedDictionary<string, T?> _before = Begin(standing);
    private ImmutableSortedDictionary<string, T?> _afterLast = Begin(standing);

    /// <summary>Paths that were given another name and are not written again yet.</summary>
    private readonly HashSet<string> _movedAway = new(StringComparer.Ordinal);
    private SaveBreak _next;
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private string? _unclear;
    private int _unclearFor;
    private int _taken;

    /// <summary>How many completions of the open save are not looked at any more: there are too many to see an order in.</summary>
    private int _forgotten;
    private bool _ifQuiet;

    /// <summary>Whether the last file made a checkpoint whole by the evidence of its layout; what may follow is waited for.</summary>
    private bool _isEvident;

    /// <summary>Whether saves were found by such evidence: the order in which their files come need not be one.</summary>
    private bool _byEvidence;
    private long _lastAt;

    /// <summary>The newest whole save that was not taken yet: each path with its version.</summary>
    public ImmutableSortedDictionary<string, T?>? Due { get; private set; }

    /// <summary>Whether <see cref="Due"/> was not learned from the script's order but concluded from its silence.</summary>
    public bool DueIsInferred { get; private set; }

    /// <summary>The newest version of each path that was complete; null for one that could not be had.</summary>
    public ImmutableSortedDictionary<string, T?> State => _state;

    /// <summary>What a checkpoint of a known layout waits for, as a sentence; null: none is open.</summary>
    public string? Waits => layouts?.Waits;

    /// <summary>A path whose file was given another name and that was not written again yet; null: there is none.</summary>
    public string? MovedAway => _movedAway.FirstOrDefault();

    /// <summary>Why no saves can be told apart, as a sentence; null: they can, or may be soon.</summary>
    public string? Unclear => !_byEvidence && _unclearFor >= CertainlyUnclear ? _unclear : null;

    /// <summary>Whether the script has begun to say itself when a state is complete.</summary>
    public bool HasSaid { get; private set; }

    /// <summary>Whether it did in an earlier run: in which order its files come then shows nothing.</summary>
    public bool HadSaid { get; } = LearnedOrder.IsSaid(learned);

    /// <summary>Whether versions are of use: somebody may find a save among them.</summary>
    public bool Keeps => !IsByWord && (_byEvidence || Waits is not null || _unclearFor < Hopeless);

    private bool IsByWord => mode == CheckpointCapture.Commit || HasSaid || HadSaid;

    /// <summary>All versions that are needed further.</summary>
    public IEnumerable<T?> Needed => _state.Values.Concat(_before.Values).Concat(_afterLast.Values).Concat(Due?.Values ?? []);

    /// <summary>Whether anything was completed that is in no state that was taken.</summary>
    public bool HasOpen => OpenCount > 0;

    /// <summary>How many paths were completed since the newest whole save.</summary>
    public int OpenCount => _forgotten + _run.Count - _taken;

    /// <summary>The path that was completed last; null: none.</summary>
    public string? LastPath => _run.Count == 0 ? null : _run[^1].Path;

    /// <summary>A file was written to its end, or renamed in.</summary>
    /// <param name="version">Its version; null when it was overwritten before one could be had.</param>
    public void Complete(string path, T? version, long milliseconds, bool renamed) =>
        Complete(path, [new(path, version)], milliseconds, renamed, folder: false);

    /// <summary>A folder was renamed in, complete.</summary>
    public void CompleteFolder(string path, IReadOnlyList<KeyValuePair<string, T?>> files, long milliseconds) =>
        Complete(path, files, milliseconds, renamed: true, folder: true);

    /// <summary>A file is gone. If it was completed last, the save that it is part of may be begun again.</summary>
    public void Remove(string path)
    {
        TakeIfEvident();
        _state = Without(_state, path);
        _ = _removed.Add(path);
        // One of those before it is removed to be written anew: that its path comes again says all.
        if (HasOpen && LastPath is { } last && (PathKeys.IsAtOrBelow(last, path) || PathKeys.IsAtOrBelow(path, last)))
        {
            Break(SaveBreak.Disturbed);
        }
    }

    /// <summary>Files are called otherwise now.</summary>
    public void Move(string from, string to)
    {
        TakeIfEvident();
        foreach ((string path, T? version) in _state.Where(file => PathKeys.IsAtOrBelow(file.Key, from)).ToArray())
        {
            _state = _state.Remove(path).SetItem(to + path[from.Length..], version);
            _ = _movedAway.Add(path);
        }
    }

    /// <summary>A file or folder was written under a name that is not its own, which it gets now.</summary>
    public void Forget(string path)
    {
        _state = Without(_state, path);
        _afterLast = Without(_afterLast, path);
        for (int i = _run.Count - 1; i >= _taken; i--)
        {
            if (PathKeys.IsAtOrBelow(_run[i].Path, path))
            {
                Next(i > 0 || _earlier.Count == 0 ? _run[i].Before : SaveBreak.None);
                _run.RemoveAt(i);
            }
        }
    }

    /// <summary>A version was had of a file that is complete already.</summary>
    public void Keep(string path, T? version) => _state = _state.SetItem(path, version);

    /// <summary>The file that was completed last may be half written: what it was before stands again, and it completes no save.</summary>
    public void Undo(string path)
    {
        _state = _before.TryGetValue(path, out T? before) ? _state.SetItem(path, before) : _state.Remove(path);
        _afterLast = _state;
        _isEvident = _ifQuiet = false;
        Break(SaveBreak.Disturbed);
    }

    /// <summary>Whether a file was completed so lately that another name for it is the one that it was written for.</summary>
    public bool IsJustCompleted(string path, long milliseconds) => path == LastPath && milliseconds - _lastAt <= RenamedWithin;

    /// <summary>Something happened between the files before and those to come.</summary>
    public void Break(SaveBreak what)
    {
        if (what is SaveBreak.Disturbed or SaveBreak.Void)
        {
            TakeIfEvident();
            layouts?.BeginAgain();
        }

        Next(what);
    }

    /// <summary>All that was written is one state.</summary>
    /// <param name="said">Whether the script says so itself.</param>
    public void Commit(bool said)
    {
        HasSaid |= said;
        _isEvident = false;
        _taken = _run.Count;
        _forgotten = 0;
        Due = _state;
        DueIsInferred = false;
    }

    /// <summary>Looks whether silence tells what the order does not.</summary>
    /// <param name="milliseconds">Now.</param>
    /// <param name="writing">Whether a file was begun since the last one was completed, and is open still.</param>
    public void Tick(long milliseconds, bool writing = false)
    {
        long quiet = milliseconds - _lastAt;
        if (quiet >= (writing ? PathKeys.PauseMilliseconds : EvidenceSettles))
        {
            TakeIfEvident();
        }

        if (_ifQuiet && quiet >= PathKeys.PauseMilliseconds && HasOpen && _next == SaveBreak.None)
        {
            _ifQuiet = false;
            Take(_state, _run.Count, inferred: true);
        }
    }

    /// <summary>Takes what is one save by the evidence of its layout, without waiting whether something follows.</summary>
    public void TakeIfEvident()
    {
        if (_isEvident)
        {
            _isEvident = false;
            _byEvidence = true;
            Take(_state, _run.Count, inferred: false);
        }
    }

    /// <summary>Takes <see cref="Due"/>: it is with its caller now.</summary>
    public void Taken() => Due = null;

    /// <summary>The order of the saves for the next run; empty: none is known, or saves show by evidence that they are whole.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Learned()
    {
        if (HasSaid || HadSaid || _byEvidence)
        {
            return HasSaid || HadSaid ? LearnedOrder.Said : [];
        }

        IReadOnlyList<IReadOnlyList<string>> saves = SaveOrder.Examples([.. All()], _removed, ExamplesOfEach);
        return saves.Sum(save => save.Count) <= MostLearnedPaths ? saves : [];
    }

    private static ImmutableSortedDictionary<string, T?> Without(ImmutableSortedDictionary<string, T?> state, string path) =>
        state.RemoveRange(state.Keys.Where(key => PathKeys.IsAtOrBelow(key, path)).ToArray());

    private void Next(SaveBreak what) => _next = (SaveBreak)Math.Max((int)_next, (int)what);

    private void Complete(string path, IReadOnlyList<KeyValuePair<string, T?>> files, long milliseconds, bool renamed, bool folder)
    {
        if (_isEvident && layouts!.BeginsNext(path))
        {
            TakeIfEvident();
        }

        if (_unclear is not null && (_next != SaveBreak.None || milliseconds - _lastAt >= PathKeys.PauseMilliseconds))
        {
            BeginAnew();
        }

        _before = _afterLast;
        if (folder)
        {
            _state = Without(_state, path);
        }

        _state = _state.SetItems(files);
        _ = _removed.Remove(path);
        _movedAway.RemoveWhere(moved => PathKeys.IsAtOrBelow(moved, path));
        _ = _templates.Add(PathKeys.Fold(path));
        if (folder)
        {
            _ = _folders.Add(path);
        }

        _run.Add(new Completion(path, milliseconds, _run.Count == 0 && _earlier.Count > 0 ? SaveBreak.Boundary : _next));
        _next = SaveBreak.None;
        _lastAt = milliseconds;
        _afterLast = _state;
        bool byLayout = mode == CheckpointCapture.Auto && !IsByWord;
        Judge(renamed, byLayout ? layouts?.Completed(path, [.. files.Select(file => file.Key)], [.. _state.Keys], _isEvident) : null);
    }

    private void Judge(bool renamed, LayoutAnswer? layout)
    {
        _ifQuiet = _isEvident = false;
        if (IsByWord)
        {
            return;
        }

        if (_run.TrueForAll(one => _folders.Contains(one.Path)) || (mode == CheckpointCapture.Rename && renamed))
        {
            Take(_state, _run.Count, inferred: false);
            return;
        }

        if (mode == CheckpointCapture.Rename)
        {
            return;
        }

        _isEvident = layout is { Progress: LayoutProgress.Whole };
        _byEvidence &= layout is not { Progress: LayoutProgress.NotAlone };
        if (layout is { Progress: LayoutProgress.Open or LayoutProgress.Whole })
        {
            _unclear = null;
            _unclearFor = 0;
            return;
        }

        if (_run.Count > MostCompletions)
        {
            _unclear = "more files are written than an order can be seen in";
            _unclearFor++;
            ForgetFirst();
            return;
        }

        SaveOrderAnswer answer = SaveOrder.Of([.. All()], _removed);
        if (answer.Unclear is not null && _earlier.Count > 0)
        {
            // The script saves otherwise than it did in earlier runs.
            _earlier = [];
            answer = SaveOrder.Of(_run, _removed);
        }

        _unclear = answer.Unclear;
        _unclearFor = _unclear is null ? 0 : _unclearFor + 1;
        // In the first save of a run nothing older can be mixed with it, unless something stood there before.
        _ifQuiet = answer.WholeIfQuiet && (!answer.IsFirst || _standing.All(_templates.Contains));
        int whole = answer.Whole - _earlier.Count;
        if (whole > _taken && whole == _run.Count)
        {
            Take(_state, whole, inferred: false);
        }
        else if (whole > _taken && whole == _run.Count - 1)
        {
            Take(_before, whole, inferred: false);
        }
    }

    private void ForgetFirst()
    {
        _run.RemoveAt(0);
        if (_taken > 0)
        {
            _taken--;
        }
        else
        {
            _forgotten++;
        }
    }

    private void Take(ImmutableSortedDictionary<string, T?> state, int whole, bool inferred)
    {
        layouts?.Begin(butTheLast: whole < _run.Count);
        _taken = whole;
        _forgotten = 0;
        if (whole > Enough)
        {
            Shorten();
        }

        if (_movedAway.Count == 0 && !state.IsEmpty && state.Values.All(version => version is not null))
        {
            Due = state;
            DueIsInferred = inferred;
        }
    }

    /// <summary>Up to the newest whole save its examples tell as much as all that was.</summary>
    private void Shorten()
    {
        _earlier = LearnedOrder.Expand(Learned());
        _run.RemoveRange(0, _taken);
        if (_run.Count > 0 && _earlier.Count > 0)
        {
            _run[0] = _run[0] with { Before = SaveBreak.Boundary };
        }

        _taken = 0;
        _removed.Clear();
    }

    /// <summary>After a pause, or when another process has begun, an order may be seen again.</summary>
    private void BeginAnew()
    {
        _earlier = [];
        _run.Clear();
        _removed.Clear();
        _taken = _forgotten = 0;
        _next = SaveBreak.None;
        _unclear = null;
        _unclearFor = 0;
    }

    private IEnumerable<Completion> All() => _earlier.Concat(_run);

    private static ImmutableSortedDictionary<string, T?> Begin(IReadOnlyDictionary<string, T> standing) =>
        standing.ToImmutableSortedDictionary(file => file.Key, file => (T?)file.Value, StringComparer.Ordinal);
}
