using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>What assignments come to, and the one among them that gave the value (null when none did).</summary>
internal readonly record struct FieldValue(Shape Shape, HoconCell? Winner);

/// <summary>
/// The assignments of one key in objects that are merged, the one that counts least first; or a single item of an array. Remembers what its
/// first n assignments come to, so that a key with thousands of assignments is merged once and not for each substitution that looks at it.
/// </summary>
internal sealed class Field(IReadOnlyList<HoconCell> cells)
{
    private Dictionary<HoconCell, int>? _places;
    private Dictionary<int, FieldValue>? _values;

    public IReadOnlyList<HoconCell> Cells { get; } = cells;

    /// <summary>The place of a cell among the assignments; -1 when it is none of them.</summary>
    public int PlaceOf(HoconCell cell)
    {
        if (_places is null)
        {
            _places = new Dictionary<HoconCell, int>(Cells.Count);
            for (int i = 0; i < Cells.Count; i++)
            {
                _places[Cells[i]] = i;
            }
        }

        return _places.TryGetValue(cell, out int place) ? place : -1;
    }

    public bool Knows(int count, out FieldValue value)
    {
        value = default;
        return _values is not null && _values.TryGetValue(count, out value);
    }

    public void Remember(int count, FieldValue value) => (_values ??= [])[count] = value;

    public void Forget() => _values = null;
}
