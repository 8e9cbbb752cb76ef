namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>What the order of completed paths tells of the saves of a script.</summary>
/// <param name="Whole">After so many completions the newest state stood that is one save; 0: none is known.</param>
/// <param name="WholeIfQuiet">Whether the state after the last of them is one save when nothing more comes for a while.</param>
/// <param name="IsFirst">Whether it is so since no path has come again yet.</param>
/// <param name="Unclear">Why no order can be seen, as the end of a sentence; null: one is, or may be soon.</param>
internal readonly record struct SaveOrderAnswer(int Whole, bool WholeIfQuiet, bool IsFirst, string? Unclear);

/// <summary>
/// Learns which completed paths make one save of a script that writes several files one after the other and says nothing of it.
/// <para>
/// A save is taken for whole when its paths were completed as in an earlier save. Saves are told apart by the first save of all, which
/// ends before the first path that comes again: either each begins with its first path (what others have besides comes behind) or each ends
/// with its last path (what others have besides comes before). The one that no path comes twice in is right. Paths that only some
/// saves have form an order of their own, and no save is whole in the middle of theirs.
/// </para>
/// </summary>
internal static class SaveOrder
{
    private const int MaxDepth = 4;

    /// <param name="completions">All of this run, and before them those of the order that was learned in earlier runs.</param>
    /// <param name="removed">Paths that the script removed.</param>
    public static SaveOrderAnswer Of(IReadOnlyList<Completion> completions, IEnumerable<string> removed) =>
        Of(ItemsOf(completions, removed), 0);

    /// <summary>Saves that show the order, in the order in which they were: the first, and the newest of each form.</summary>
    /// <param name="kept">How many of each form.</param>
    public static IReadOnlyList<IReadOnlyList<string>> Examples(
        IReadOnlyList<Completion> completions,
        IEnumerable<string> removed,
        int kept
    )
    {
        Item[] items = ItemsOf(completions, removed);
        List<Item> first = [];
        return !TryFindFirst(items, first, out int end)
                ?
                [
                    [.. first.Select(item => item.Completion.Path)],
                ]
            : Divide(items, first, end) is { Fault: null } regular ? regular.Examples(kept)
            : [];
    }

    private static Item[] ItemsOf(IReadOnlyList<Completion> completions, IEnumerable<string> removed)
    {
        PathKeys keys = new(completions, removed);
        return
        [
            .. completions.Select(
                (completion, i) => new Item(keys.KeyOf(completion.Path), PathKeys.Fold(completion.Path), completion, i + 1)
            ),
        ];
    }

    /// <summary>
    /// In that way in which no path comes twice in a save; where both are such, in the one in which the first save's beginning comes again.
    /// </summary>
    private static SaveSequence Divide(IReadOnlyList<Item> items, List<Item> first, int end)
    {
        bool again = items[end].Template == first[0].Template;
        SaveSequence likely = new(items, first, byFirst: again);
        SaveSequence other = likely.Fault is null ? likely : new(items, first, byFirst: !again);
        return other.Fault is null ? other : likely;
    }

    private static SaveOrderAnswer Of(IReadOnlyList<Item> items, int depth)
    {
        if (items.Count == 0)
        {
            return default;
        }

        List<Item> first = [];
        if (!TryFindFirst(items, first, out int end))
        {
            return new SaveOrderAnswer(0, WholeIfQuiet: depth == 0, IsFirst: true, null);
        }

        int endOfFirst = items[end - 1].Number;
        SaveSequence regular = Divide(items, first, end);
        if (regular.Fault is not null)
        {
            return new SaveOrderAnswer(0, false, false, regular.Fault);
        }

        (int whole, bool quiet) = regular.Newest();
        if (whole == 0 && !quiet)
        {
            return default;
        }

        // Those that only some saves have: whole too?
        int until = whole > 0 ? whole : items[^1].Number;
        Item[] rest = items.Only(item => item.Number <= until && !regular.Core.Contains(item.Key));
        bool atRest =
            rest.Length == 0
            || rest[^1].Number <= endOfFirst
            || items[^1].Completion.Milliseconds - rest[^1].Completion.Milliseconds >= PathKeys.PauseMilliseconds
            || (depth < MaxDepth && IsAtRest(rest, endOfFirst, depth));
        return atRest ? new SaveOrderAnswer(whole, quiet, false, null) : default;
    }

    private static bool IsAtRest(Item[] rest, int endOfFirst, int depth)
    {
        if (rest.DistinctBy(item => item.Key).Count() == 1)
        {
            return true;
        }

        int later = Array.FindIndex(rest, item => item.Number > endOfFirst);
        if (later > 0)
        {
            rest[later] = rest[later] with { Completion = rest[later].Completion with { Before = SaveBreak.Boundary } };
        }

        return Of(rest, depth + 1).Whole == rest[^1].Number;
    }

    /// <summary>
    /// The first save: from the beginning to before the first path that comes again. One that was cut off before tells in which order its
    /// paths come.
    /// </summary>
    private static bool TryFindFirst(IReadOnlyList<Item> items, List<Item> first, out int end)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        HashSet<string> placed = new(StringComparer.Ordinal);
        int place = 0;
        for (end = 0; end < items.Count; end++)
        {
            Item item = items[end];
            if (item.Before == SaveBreak.Void)
            {
                seen.Clear();
                place = 0;
            }
            else if (item.Before == SaveBreak.Boundary && seen.Count > 0)
            {
                return true;
            }

            if (!seen.Add(item.Key))
            {
                return true;
            }

            if (placed.Add(item.Key))
            {
                first.Insert(place, item);
                place++;
            }
            else
            {
                place = first.FindIndex(other => other.Key == item.Key) + 1;
            }
        }

        return false;
    }
}

/// <summary>A completion with the keys by which it is known again.</summary>
/// <param name="Key">The same part of two saves has the same.</param>
/// <param name="Template">Parts of one kind have the same.</param>
/// <param name="Completion">What was completed.</param>
/// <param name="Number">Its place among all completions, from 1.</param>
internal readonly record struct Item(string Key, string Template, Completion Completion, int Number)
{
    public SaveBreak Before => Completion.Before;
}

internal static class Items
{
    /// <summary>Some of them; what lay before one that is left out lies before the next.</summary>
    public static Item[] Only(this IReadOnlyList<Item> items, Predicate<Item> which)
    {
        List<Item> kept = [];
        SaveBreak before = SaveBreak.None;
        foreach (Item item in items)
        {
            before = (SaveBreak)Math.Max((int)before, (int)item.Before);
            if (which(item))
            {
                kept.Add(item with { Completion = item.Completion with { Before = before } });
                before = SaveBreak.None;
            }
        }

        return [.. kept];
    }
}
