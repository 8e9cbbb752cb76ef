using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>
/// What a value is at its top level. The fields of an object and the items of an array are not looked at yet, so a field may refer to its
/// own neighbours.
/// </summary>
internal abstract class Shape;

/// <summary>No value: an optional substitution found nothing.</summary>
internal sealed class MissingShape : Shape
{
    public static readonly MissingShape Instance = new();
}

/// <summary>A text, number, boolean or null.</summary>
internal sealed class ScalarShape(ConfigScalar scalar) : Shape
{
    public ConfigScalar Scalar { get; } = scalar;
}

/// <summary>An array: the items of <paramref name="before"/>, then its own. Linked, so that a thousand <c>+=</c> copy nothing.</summary>
internal sealed class ArrayShape(ConfigOrigin origin, ArrayShape? before, IReadOnlyList<HoconCell> own) : Shape
{
    private readonly ArrayShape? _before = before;
    private readonly IReadOnlyList<HoconCell> _own = own;

    public ConfigOrigin Origin { get; } = origin;

    public long Count { get; } = (before?.Count ?? 0) + own.Count;

    public List<HoconCell> Items()
    {
        List<IReadOnlyList<HoconCell>> parts = [];
        for (ArrayShape? part = this; part is not null; part = part._before)
        {
            parts.Add(part._own);
        }

        parts.Reverse();
        return [.. parts.SelectMany(part => part)];
    }
}

/// <summary>Objects that are merged, the lowest one first.</summary>
internal sealed class ObjectShape(ConfigOrigin origin, IReadOnlyList<ObjectExpression> layers) : Shape
{
    private OrderedDictionary<string, Field>? _fields;

    public ConfigOrigin Origin { get; } = origin;

    public IReadOnlyList<ObjectExpression> Layers { get; } = layers;

    /// <summary>All keys in the order of their first assignment.</summary>
    public IReadOnlyDictionary<string, Field> Fields => _fields ??= Collect();

    /// <summary>
    /// Puts layers above others. One that occurs twice (<c>a = ${a} { … }</c> has the old value of a twice) counts where it is highest:
    /// there it hides whatever its lower copy could say.
    /// </summary>
    public static ObjectShape Stack(ConfigOrigin origin, IEnumerable<ObjectExpression> highestFirst)
    {
        List<ObjectExpression> layers = [.. highestFirst.Distinct()];
        layers.Reverse();
        return new ObjectShape(origin, layers);
    }

    private OrderedDictionary<string, Field> Collect()
    {
        OrderedDictionary<string, List<HoconCell>> cells = new(StringComparer.Ordinal);
        foreach (ObjectExpression layer in Layers)
        {
            foreach (string key in layer.Keys)
            {
                if (!cells.TryGetValue(key, out List<HoconCell>? known))
                {
                    cells.Add(key, known = []);
                }

                known.AddRange(layer.CellsOf(key));
            }
        }

        OrderedDictionary<string, Field> fields = new(cells.Count, StringComparer.Ordinal);
        foreach ((string key, List<HoconCell> assignments) in cells)
        {
            fields.Add(key, new Field(assignments));
        }

        return fields;
    }
}
