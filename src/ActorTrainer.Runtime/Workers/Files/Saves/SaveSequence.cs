namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>Completions, divided into saves in one of the two ways.</summary>
internal sealed class SaveSequence
{
    private const int MuchNearer = 4;

    private readonly IReadOnlyList<Item> _items;
    private readonly bool _byFirst;
    private readonly string _firstTemplate;
    private readonly bool _firstHasSiblings;
    private readonly HashSet<string> _firstKeys;
    private readonly HashSet<string> _firstTemplates;
    private readonly List<Save> _saves = [];
    private readonly List<Item> _open = [];

    /// <param name="items">All completions.</param>
    /// <param name="first">The first save.</param>
    /// <param name="byFirst">Whether every save begins with the first path of the first one, or ends with its last.</param>
    public SaveSequence(IReadOnlyList<Item> items, List<Item> first, bool byFirst)
    {
        _items = items;
        _byFirst = byFirst;
        _firstTemplate = first[0].Template;
        _firstKeys = [.. first.Select(item => item.Key)];
        _firstHasSiblings = first.Count(item => item.Template == _firstTemplate) > 1;
        _firstTemplates = [.. first.Select(item => item.Template)];
        for (int i = 0; i < items.Count && Fault is null; i++)
        {
            Add(i, first);
        }

        Fault ??= FaultOfAll();
    }

    /// <summary>Why the paths cannot have been written so; null: they can.</summary>
    public string? Fault { get; private set; }

    /// <summary>What every save has.</summary>
    public HashSet<string> Core { get; private set; } = [];

    private Save[] Counted => [.. _saves.Where(save => save.Counts)];

    /// <summary>
    /// After how many completions the newest whole save stood (0: none is known), and whether the last one is whole if it stays quiet.
    /// </summary>
    public (int Whole, bool WholeIfQuiet) Newest()
    {
        Save[] counted = Counted;
        if (!OthersAreProven())
        {
            return default;
        }

        Item last = _items[^1];
        if (!_byFirst)
        {
            return _open.Count == 0 && _saves.Count > 0 && _saves[^1] is { Counts: true } newest && IsKnown(newest, counted)
                ? (last.Number, false)
                : default;
        }

        if (_open.Count == 0)
        {
            return default;
        }

        Save open = new([.. _open], Counts: true);
        bool known = counted.Any(save => save.IsLike(open));
        if (known && !MayGoOn(open))
        {
            return (last.Number, false);
        }

        // The one before is over for certain; unless it was cut off where it may have gone on.
        bool closedIsWhole =
            _open.Count == 1
            && _saves.Count > 0
            && _saves[^1] is { Counts: true } closed
            && IsKnown(closed, counted)
            && !(closed.BreakBehind && MayGoOn(closed));
        return (closedIsWhole ? _saves[^1].Items[^1].Number : 0, known);
    }

    private bool MayGoOn(Save save) => _saves.Any(other => other.Goes(beyond: save));

    /// <summary>Saves that show the order: the first, and the newest of each form.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Examples(int kept)
    {
        Save[] counted = Counted;
        return
        [
            .. counted
                .Where((save, i) => i == 0 || counted.Skip(i + 1).Count(save.IsLike) < kept)
                .Select(save => save.Items.Select(item => item.Completion.Path).ToArray()),
        ];
    }

    private bool IsKnown(Save newest, Save[] counted) =>
        counted.Any(save => save != newest && save.IsLike(newest)) || (!_byFirst && !newest.BreakInside && newest.Keys.SetEquals(Core));

    /// <summary>
    /// A path of the first save that a later one lacks may only be late. That it need not come at all is certain when it is missing once
    /// where every save has to be over before the next one's first path, and else when it is missing twice while no process ended.
    /// </summary>
    private bool OthersAreProven() => _firstKeys.Except(Core).All(IsProven);

    private bool IsProven(string key)
    {
        int missing = 0;
        foreach (Save save in _saves)
        {
            missing =
                !save.IsUndisturbed ? 0
                : save.Lacks(key) ? missing + 1
                : missing;
            if (missing >= (_byFirst ? 1 : 2))
            {
                return true;
            }
        }

        return false;
    }

    private void Add(int index, List<Item> first)
    {
        Item item = _items[index];
        if (item.Before == SaveBreak.Void)
        {
            if (_open.Count > 0)
            {
                _saves.Add(new Save([.. _open], Counts: false));
                _open.Clear();
            }

            if (_byFirst && item.Template != _firstTemplate)
            {
                Fault = $"'{item.Completion.Path}' came first after a process had ended in the middle of a save";
                return;
            }
        }
        else if (item.Before == SaveBreak.Boundary && _open.Count > 0)
        {
            Close(index, certain: true);
        }

        int before = _open.FindIndex(other => other.Key == item.Key);
        bool isFirst = _byFirst && item.Template == _firstTemplate;
        if (isFirst && before >= 0 && _firstHasSiblings && _open.FindLastIndex(o => o.Before == SaveBreak.Disturbed) > before)
        {
            _ = TryDropWhatWasCutOff(before, item);
        }
        else if (isFirst && before >= 0)
        {
            Close(index, certain: false);
        }
        else if (before >= 0 && !TryDropWhatWasCutOff(before, item))
        {
            Fault = $"'{item.Completion.Path}' was saved again before the save that it is part of was over";
            return;
        }

        _open.Add(item);
        if (!_byFirst && item.Key == first[^1].Key)
        {
            Close(index + 1, certain: false);
        }
    }

    /// <summary>A path comes again since a process had ended and another one began its save anew: what came before that is void.</summary>
    private bool TryDropWhatWasCutOff(int before, Item item)
    {
        int end = item.Before == SaveBreak.Disturbed ? _open.Count : _open.FindLastIndex(o => o.Before == SaveBreak.Disturbed);
        if (end <= before)
        {
            return false;
        }

        _open.RemoveRange(0, end);
        return !_byFirst || (_open.Count > 0 ? _open[0] : item).Template == _firstTemplate;
    }

    /// <param name="next">The index of the item behind it.</param>
    /// <param name="certain">Whether it is known to have ended here.</param>
    private void Close(int next, bool certain)
    {
        bool nearer = !certain && _byFirst && next < _items.Count && IsNearerToTheNext(_items[next]);
        bool endBehind = !certain && next < _items.Count && _items[next].Before is (SaveBreak.Disturbed or SaveBreak.Void);
        _saves.Add(new Save([.. _open], Counts: !nearer, endBehind));
        _open.Clear();
    }

    /// <summary>A path that the first save did not have and that comes last: by its time it may as well begin the next save.</summary>
    private bool IsNearerToTheNext(Item next)
    {
        int lastKnown = _open.FindLastIndex(item => _firstKeys.Contains(item.Key));
        if (lastKnown < 0 || lastKnown == _open.Count - 1)
        {
            return false;
        }

        long before = _open[lastKnown + 1].Completion.Milliseconds - _open[lastKnown].Completion.Milliseconds;
        long after = next.Completion.Milliseconds - _open[^1].Completion.Milliseconds;
        return before > MuchNearer * after;
    }

    private string? FaultOfAll()
    {
        // What was cut off by the end of a process lacks what whole ones have.
        foreach (Save save in _saves.Where(save => save.BreakInside || save.BreakBehind).ToArray())
        {
            if (_saves.Any(other => other.Counts && other.Goes(beyond: save)))
            {
                _saves[_saves.IndexOf(save)] = save with { Counts = false };
            }
        }

        Save[] counted = Counted;
        if (counted.Length == 0)
        {
            return null;
        }

        Core = [.. counted[0].Keys];
        foreach (Save save in counted)
        {
            Core.IntersectWith(save.Keys);
        }

        if (Core.Count == 0)
        {
            return "no file is part of every save";
        }

        foreach (Item item in _items)
        {
            if (!_firstKeys.Contains(item.Key) && _firstTemplates.Contains(item.Template))
            {
                return $"'{item.Completion.Path}' may be a part of the save that came before or a save of its own";
            }
        }

        if (counted.Any(save => counted.Any(other => save.Keys.SetEquals(other.Keys) && save.Last != other.Last)))
        {
            return "no file is always the last of a save";
        }

        if (counted.Any(save => counted.Any(other => save.Keys.SetEquals(other.Keys) && save.BreakInside != other.BreakInside)))
        {
            return "a process ended in the middle of a save";
        }

        return !_byFirst && counted.FirstOrDefault(save => !_firstKeys.Contains(save.Items[0].Key)) is { } strange
            ? $"'{strange.Items[0].Completion.Path}' may belong to the save before it or to the one behind it"
            : null;
    }

    /// <param name="Items">What was completed, in order.</param>
    /// <param name="Counts">Whether it tells how a whole save looks.</param>
    /// <param name="BreakBehind">Whether a process ended between it and the next.</param>
    private sealed record Save(IReadOnlyList<Item> Items, bool Counts, bool BreakBehind = false)
    {
        public HashSet<string> Keys { get; } = [.. Items.Select(item => item.Key)];

        public string Last => Items[^1].Template;

        /// <summary>Whether a process ended while it was written: normal where each file is written by a process of its own.</summary>
        public bool BreakInside { get; } = Items.Skip(1).Any(item => item.Before == SaveBreak.Disturbed);

        /// <summary>Whether no process ended between the save before it and the one behind it.</summary>
        public bool IsUndisturbed => !BreakInside && !BreakBehind && Items[0].Before is (SaveBreak.None or SaveBreak.Boundary);

        public bool IsLike(Save other) => Keys.SetEquals(other.Keys) && Last == other.Last && BreakInside == other.BreakInside;

        public bool Lacks(string key) => Counts && !Keys.Contains(key);

        public bool Goes(Save beyond) => Keys.IsProperSupersetOf(beyond.Keys);
    }
}
