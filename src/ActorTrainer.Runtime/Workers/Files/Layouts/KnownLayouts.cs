using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>Asks every known layout, the larger ones first: a checkpoint of one may have another one inside.</summary>
/// <param name="open">Opens a file as it was when it was completed; null when it cannot be had.</param>
/// <param name="ranks">How many processes train together; null: not known.</param>
internal sealed class KnownLayouts(Func<string, Stream?> open, Func<int?> ranks)
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

    /// <summary>Whether a checkpoint was begun before the one before it was whole: what they wait for may never come.</summary>
    private bool _isDoubted;

    /// <summary>What the checkpoint that was written last waits for, as a sentence; null: nothing is known to be open.</summary>
    public string? Waits { get; private set; }

    /// <summary>Whether a path that is completed now begins the save behind the checkpoint that was whole last.</summary>
    public bool BeginsNext(string path) =>
        _whole is { } whole
        && (whole.Has(path) ? _files.IsNew(path) : LayoutFiles.AreOfOneKind(whole.Folder, LayoutFiles.AsDeepAs(whole.Folder, path)));

    /// <summary>A file was completed, or a folder renamed in.</summary>
    /// <param name="path">Which.</param>
    /// <param name="paths">The files.</param>
    /// <param name="standing">All that stands now.</param>
    /// <param name="waiting">Whether the checkpoint that was whole last still waits to be taken.</param>
    /// <returns>What is known of the checkpoint that it belongs to; null: nothing that can be relied on.</returns>
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

        return waiting && _whole is { } whole && whole.Layout.Of(whole.Last, _files) is { } still
            ? Judge(whole.Layout, still, whole.Last)
            : null;
    }

    /// <summary>What was completed until now is no part of the open save.</summary>
    /// <param name="butTheLast">Except for what was completed last.</param>
    public void Begin(bool butTheLast) => _files.Begin(butTheLast);

    /// <summary>The open save came to nothing, or may have: another one may be written into the same folder.</summary>
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
        public bool Has(string path) => Folder.Length == 0 || SaveTracker<string>.IsAtOrBelow(path, Folder);
    }
}
