namespace ActorTrainer.Bench.Torn;

/// <summary>What a life of a script begins with.</summary>
/// <param name="Files">The files of the restored checkpoint, each with the number of its save.</param>
/// <param name="Order">The order of saves that the checkpoint brought along.</param>
/// <param name="LastSave">The newest save that is in it; 0: none.</param>
internal sealed record Restored(IReadOnlyDictionary<string, int> Files, IReadOnlyList<IReadOnlyList<string>> Order, int LastSave)
{
    public static Restored Nothing { get; } = new(new Dictionary<string, int>(), [], 0);
}

/// <summary>Knows which states a script meant, and compares those that were captured with them.</summary>
internal sealed class SaveJudge(Restored restored)
{
    private readonly List<Dictionary<string, int>> _whole = [new(restored.Files)];
    private readonly HashSet<string> _known = [.. restored.Files.Keys];
    private readonly HashSet<string> _knownBefore = [.. restored.Files.Keys];
    private bool _firstIsTaken;

    /// <summary>The last save that was whole.</summary>
    public IReadOnlyDictionary<string, int> Last => _whole[^1];

    /// <summary>How many saves were whole.</summary>
    public int Saves => _whole.Count - 1;

    public int Commits { get; private set; }

    /// <summary>States with files of different saves.</summary>
    public int Mixed { get; private set; }

    /// <summary>States with a file that is not whole, or with a part of a save.</summary>
    public int Torn { get; private set; }

    /// <summary>States that were concluded from silence.</summary>
    public int Inferred { get; private set; }

    /// <summary>How many saves were whole when the newest state was captured.</summary>
    public int SavesAtCommit { get; private set; }

    /// <summary>The newest captured state, for the next life.</summary>
    public Restored Newest { get; private set; } = restored;

    /// <summary>Whether the first save was over, another one as well, and it was captured only with that.</summary>
    public bool FirstIsLate => Saves > 1 && !_firstIsTaken;

    /// <summary>What was wrong first, in words.</summary>
    public string? Fault { get; private set; }

    /// <summary>
    /// A part of a save was written; with the last one the save is whole. One that is not the last is a state only as long as the rest was
    /// never seen before.
    /// </summary>
    public void Written(IReadOnlyList<SaveStep> steps, int index, IReadOnlyDictionary<string, int> files)
    {
        if (
            steps.Skip(index + 1).All(step => !_knownBefore.Contains(step.Path))
            && steps.Take(index + 1).All(step => _knownBefore.Contains(step.Path))
        )
        {
            Prefixes.Add(new Dictionary<string, int>(files, StringComparer.Ordinal));
        }

        _ = _known.Add(steps[index].Path);
        _ = _leftovers.Remove(steps[index].Path);
        if (index == steps.Count - 1)
        {
            _whole.Add(new Dictionary<string, int>(files, StringComparer.Ordinal));
            _knownBefore.UnionWith(_known);
        }
    }

    /// <summary>A save came to nothing. Those of its files that are whole may be captured later, or what stood there before them.</summary>
    public void Aborted(int save, IReadOnlyDictionary<string, int> files)
    {
        foreach ((string path, int _) in files.Where(file => file.Value == save))
        {
            _leftovers[path] = Last.GetValueOrDefault(path);
        }

        _known.IntersectWith(_knownBefore);
    }

    /// <summary>Files of saves that came to nothing, each with the save that stood there before; 0: none.</summary>
    private readonly Dictionary<string, int> _leftovers = new(StringComparer.Ordinal);

    private List<Dictionary<string, int>> Prefixes { get; } = [];

    /// <summary>Another life of the script begins with what was captured: of a file that is not there it has never heard.</summary>
    public void Restored(IReadOnlyDictionary<string, int> files)
    {
        Captured(files, [], inferred: false);
        _known.Clear();
        _known.UnionWith(files.Keys);
        _knownBefore.Clear();
        _knownBefore.UnionWith(files.Keys);
    }

    /// <summary>A state was captured.</summary>
    public void Captured(IReadOnlyDictionary<string, int> files, IReadOnlyList<IReadOnlyList<string>> order, bool inferred)
    {
        Commits++;
        Inferred += inferred ? 1 : 0;
        SavesAtCommit = Saves;
        Dictionary<string, int>? meant = _whole.Concat(Prefixes).FirstOrDefault(whole => Same(whole, files));
        if (meant is null)
        {
            bool torn = files.Values.Contains(-1) || files.Values.Distinct().Count() == 1;
            Torn += torn ? 1 : 0;
            Mixed += torn ? 0 : 1;
            Fault ??= $"{string.Join(" ", files.Select(file => $"{file.Key}={file.Value}"))} where {string.Join(" ", Last)} was whole";
        }

        _firstIsTaken |= Saves > 0 && files.Values.DefaultIfEmpty(0).Max() == _whole[1].Values.Max();
        Newest = new Restored(files, order, files.Values.DefaultIfEmpty(0).Max());
    }

    private bool Same(Dictionary<string, int> meant, IReadOnlyDictionary<string, int> captured) =>
        captured.Keys.All(meant.ContainsKey)
        && meant.All(file =>
            captured.GetValueOrDefault(file.Key) is var save
            && (save == file.Value || (_leftovers.TryGetValue(file.Key, out int before) && save == before))
        );
}
