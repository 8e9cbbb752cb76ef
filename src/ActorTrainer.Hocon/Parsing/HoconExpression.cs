using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>A value as it was written, before substitutions are looked up.</summary>
internal abstract class HoconExpression(ConfigOrigin origin)
{
    public ConfigOrigin Origin { get; } = origin;

    /// <summary>A finished value, for those that are still to be resolved.</summary>
    public static HoconExpression Of(ConfigNode node)
    {
        switch (node)
        {
            case ConfigObject value:
                ObjectExpression fields = new(value.Origin);
                foreach ((string key, ConfigNode field) in value.Fields)
                {
                    fields.Add(key, new HoconCell(field.KeyOrigin) { Value = Of(field) });
                }

                return fields;
            case ConfigArray array:
                return new ArrayExpression(array.Origin, [.. array.Items.Select(item => new HoconCell(null) { Value = Of(item) })]);
            case ConfigScalar scalar:
                return new ScalarExpression(scalar.Origin, scalar.Text, scalar.Quoted);
            default:
                throw new ArgumentException($"There is no expression for {node.GetType().Name}.", nameof(node));
        }
    }
}

/// <summary>A string, number, boolean or null.</summary>
internal sealed class ScalarExpression(ConfigOrigin origin, string? text, bool quoted) : HoconExpression(origin)
{
    public string? Text { get; } = text;

    public bool Quoted { get; } = quoted;
}

/// <summary><c>${path}</c> or <c>${?path}</c>.</summary>
/// <param name="origin">Where it stands.</param>
/// <param name="path">The path as written.</param>
/// <param name="prefixes">
/// Paths that are tried before it, last one first: a file that is included below a key sees its own values below that key.
/// </param>
/// <param name="optional">Whether a missing value is no error.</param>
/// <param name="environment">Whether an environment variable stands in for a missing value.</param>
internal sealed class SubstitutionExpression(
    ConfigOrigin origin,
    IReadOnlyList<string> path,
    IReadOnlyList<IReadOnlyList<string>> prefixes,
    bool optional,
    bool environment
) : HoconExpression(origin)
{
    public IReadOnlyList<string> Path { get; } = path;

    public IReadOnlyList<IReadOnlyList<string>> Prefixes { get; } = prefixes;

    public bool Optional { get; } = optional;

    public bool Environment { get; } = environment;
}

/// <summary>
/// An object. A key may be assigned more than once; all assignments are kept, since a later one may refer to or merge with the one before.
/// </summary>
internal sealed class ObjectExpression(ConfigOrigin origin) : HoconExpression(origin)
{
    private readonly Dictionary<string, List<HoconCell>> _cells = new(StringComparer.Ordinal);
    private readonly List<string> _keys = [];

    /// <summary>Keys in the order of their first assignment.</summary>
    public IReadOnlyList<string> Keys => _keys;

    /// <summary>The assignments of a key, oldest first.</summary>
    public IReadOnlyList<HoconCell> CellsOf(string key) => _cells.TryGetValue(key, out List<HoconCell>? cells) ? cells : [];

    public void Add(string key, HoconCell cell)
    {
        if (!_cells.TryGetValue(key, out List<HoconCell>? cells))
        {
            _cells.Add(key, cells = []);
            _keys.Add(key);
        }

        cells.Add(cell);
    }

    /// <summary>Takes over the assignments of another object as if they were written here.</summary>
    public void AddAll(ObjectExpression other)
    {
        foreach (string key in other.Keys)
        {
            foreach (HoconCell cell in other.CellsOf(key))
            {
                Add(key, cell);
            }
        }
    }
}

/// <summary>An array.</summary>
internal sealed class ArrayExpression(ConfigOrigin origin, IReadOnlyList<HoconCell> items) : HoconExpression(origin)
{
    public IReadOnlyList<HoconCell> Items { get; } = items;
}

/// <summary>Values that follow each other on a line and are joined: texts to a text, arrays to an array, objects to an object.</summary>
/// <param name="origin">Where the first of them stands.</param>
/// <param name="pieces">The values.</param>
/// <param name="appendsTo">The key, when this was written as <c>key += value</c>.</param>
internal sealed class JoinExpression(ConfigOrigin origin, IReadOnlyList<JoinPiece> pieces, string? appendsTo = null)
    : HoconExpression(origin)
{
    public IReadOnlyList<JoinPiece> Pieces { get; } = pieces;

    public string? AppendsTo { get; } = appendsTo;
}

/// <summary>A part of a joined value, with the white space that stands before it and belongs to a joined text.</summary>
internal readonly record struct JoinPiece(string SpaceBefore, HoconExpression Value);

/// <summary>
/// One assignment of a key, or one item of an array: the unit that is evaluated once and that a value may refer back from.
/// </summary>
internal sealed class HoconCell(ConfigOrigin? keyOrigin)
{
    /// <summary>Where the key stands; null for an item.</summary>
    public ConfigOrigin? KeyOrigin { get; } = keyOrigin;

    /// <summary>For an item of an array: the cell that the array stands in.</summary>
    public HoconCell? Owner { get; init; }

    /// <summary>The value; set once, when it has been parsed.</summary>
    public HoconExpression Value { get; set; } = null!;
}
