using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>
/// What a value is at its top level. The fields of an object and the items of an array are not looked at yet, so a field may refer to its
/// own neighbours.
/// </summary>
internal abstract record Shape;

/// <summary>No value: an optional substitution found nothing.</summary>
internal sealed record MissingShape : Shape
{
    public static readonly MissingShape Instance = new();
}

/// <summary>A text, number, boolean or null.</summary>
internal sealed record ScalarShape(ConfigScalar Scalar) : Shape;

/// <summary>An array.</summary>
internal sealed record ArrayShape(ConfigOrigin Origin, IReadOnlyList<HoconCell> Items) : Shape;

/// <summary>Objects that are merged, the lowest one first.</summary>
internal sealed record ObjectShape(ConfigOrigin Origin, IReadOnlyList<ObjectExpression> Layers) : Shape
{
    /// <summary>
    /// Puts layers above others. One that occurs twice (<c>a = ${a} { … }</c> has the old value of a twice) counts where it is highest: there
    /// it hides whatever its lower copy could say.
    /// </summary>
    public static ObjectShape Stack(ConfigOrigin origin, IEnumerable<ObjectExpression> lowestFirst)
    {
        List<ObjectExpression> layers = [.. lowestFirst.Reverse().Distinct()];
        layers.Reverse();
        return new ObjectShape(origin, layers);
    }

    /// <summary>All assignments of a key, the one that counts least first.</summary>
    public List<HoconCell> CellsOf(string key)
    {
        List<HoconCell> cells = [];
        foreach (ObjectExpression layer in Layers)
        {
            cells.AddRange(layer.CellsOf(key));
        }

        return cells;
    }
}
