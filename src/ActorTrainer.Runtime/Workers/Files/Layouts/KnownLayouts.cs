using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>Asks every known layout, the larger ones first: a checkpoint of one may have another one inside.</summary>
/// <param name="open">Opens a file as it was when it was completed; null when it cannot be had.</param>
/// <param name="ranks">How many processes train together; null: not known.</param>
internal sealed class KnownLayouts(Func<string, Stream?> open, Func<int?> ranks) : ISaveEvidence
{
    private readonly LayoutFiles _files = new(open, ranks);
    private readonly List<ILayout> _layouts =
    [
        new HuggingFaceTrainerLayout(),
        new MegatronLayout(),
        new DeepSpeedLayout(),
        new OrbaxLayout(),
        new LightningLayout(),
        new TorchDistributedLayout(),
        new SafetensorsIndexLayout(),
    ];

    private Whole? _whole;
    private string? _open;

    /// <summary>The folder that was a whole checkpoint last, and its layout: the next one of its kind is laid out alike.</summary>
    private (ILayout Layout, string Folder)? _last;

    /// <summary>Whether a checkpoint was begun before the one before it was whole: what they wait for may never come.</summary>
    private bool _isDoubted;

    /// <inheritdoc />
    public string? Waits { get; private set; }

    /// <inheritdoc />
    public bool BeginsNext(string path) =>
        _whole is { } whole
        && (whole.Has(path) ? _files.IsNew(path) : LayoutFiles.AreOfOneKind(whole.Folder, LayoutFiles.AsDeepAs(whole.Folder, path)));

    /// <inheritdoc />
    public LayoutAnswer? Completed(string path, IReadOnlyList<string> paths, IReadOnlyCollection<string> standing, bool waiting)
    {
        _files.Completed(paths, standing);
        IEnumerable<string> oneOfEach = paths.DistinctBy(LayoutFiles.FolderOf).Prepend(path).Distinct();
        foreach (ILayout layout in _layouts.ToArray())
        {
            LayoutAnswer[] answers = [.. oneOfEach.Select(one => layout.Of(one, _files)).OfType<LayoutAnswer>()];
            if (answers.Length > 0)
            {
                return Judge(layout, answers.MaxBy(one => one.Progress == LayoutProgress.Whole), path);
            }
        }

        return waiting && _whole is { } whole && whole.Layout.Of(whole.Last, _files) is { } still ? Judge(whole.Layout, still, whole.Last)
            : Begun(path) is { } begun ? Judge(_last!.Value.Layout, begun, path)
            : null;
    }

    /// <summary>A folder of the kind of the checkpoint that was whole last, and beside it, that no layout knows yet.</summary>
    private LayoutAnswer? Begun(string path) =>
        _last is { Folder.Length: > 0 } last
        && _layouts.Contains(last.Layout)
        && LayoutFiles.AsDeepAs(last.Folder, path) is var folder
        && folder != path
        && folder != last.Folder
        && LayoutFiles.AreOfOneKind(last.Folder, folder)
            ? new LayoutAnswer(folder, LayoutProgress.Open, $"what made '{last.Folder}' a {last.Layout.Name}")
            : null;

    /// <inheritdoc />
    public void Begin(bool butTheLast) => _files.Begin(butTheLast);

    /// <inheritdoc />
    public void BeginAgain()
    {
        _files.Begin(butTheLast: false);
        _files.Previous = [];
        _open = null;
        _whole = null;
    }

    private LayoutAnswer? Judge(ILayout layout, LayoutAnswer answer, string path)
    {
        if (_open is { } before && before != answer.Folder)
        {
            _isDoubted |= _whole?.Folder != before;
            _files.Previous = [.. _files.Below(before).Select(file => before.Length == 0 ? file : file[(before.Length + 1)..])];
        }

        _open = answer.Folder;
        Waits =
            answer.Waits.Length == 0 ? null
            : answer.Folder.Length == 0 ? $"the {layout.Name} waits for {answer.Waits}"
            : $"'{answer.Folder}', a {layout.Name}, waits for {answer.Waits}";
        if (answer.Progress == LayoutProgress.Whole)
        {
            _isDoubted = false;
            _last = (layout, answer.Folder);
            _whole = new Whole(layout, answer.Folder, path, [.. _files.Below(answer.Folder).Where(_files.IsNew)]);
        }
        else if (_whole is { } whole && whole.Layout == layout && whole.Has(path) && !whole.Parts.Contains(path) && !layout.MayGoOn)
        {
            // What this script writes is not over with the layout's own last file.
            _ = _layouts.Remove(layout);
            return answer with { Progress = LayoutProgress.NotAlone };
        }

        return _isDoubted && answer.Progress == LayoutProgress.Open ? null : answer;
    }

    /// <param name="Layout">How it is laid out.</param>
    /// <param name="Folder">Where.</param>
    /// <param name="Last">What was completed last.</param>
    /// <param name="Parts">What it had.</param>
    private sealed record Whole(ILayout Layout, string Folder, string Last, HashSet<string> Parts)
    {
        public bool Has(string path) => Folder.Length == 0 || PathKeys.IsAtOrBelow(path, Folder);
    }
}
