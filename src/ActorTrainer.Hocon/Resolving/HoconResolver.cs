using System.Runtime.CompilerServices;
using System.Text;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>
/// Looks up substitutions and merges objects. Each assignment is a cell and is evaluated once, and only to its <see cref="Shape"/>: that
/// is what lets <c>bar { foo = 1, baz = ${bar.foo} }</c> be no cycle. A value that refers to its own key sees the assignments
/// before it (HOCON specification, "Self-referential substitutions").
/// </summary>
internal sealed class HoconResolver(IReadOnlyList<ObjectExpression> layers, IReadOnlyDictionary<string, string> environment)
{
    private const int MaxDepth = 2_000;
    private const int MaxTreeDepth = 250;
    private const int MaxNodes = 1_000_000;
    private const int MaxTextLength = 16 << 20;

    private readonly ObjectShape _root = new(layers[^1].Origin, layers);
    private readonly IReadOnlyDictionary<string, string> _environment = environment;
    private readonly Dictionary<HoconCell, Shape> _shapes = [];
    private readonly HashSet<HoconCell> _evaluating = [];
    private readonly HashSet<HoconCell> _building = [];
    private int _depth;
    private int _treeDepth;
    private long _nodes;
    private long _textLength;

    public ConfigObject Resolve() => BuildObject(_root, null);

    private ConfigObject BuildObject(ObjectShape shape, ConfigOrigin? keyOrigin)
    {
        if (++_treeDepth > MaxTreeDepth)
        {
            throw new ConfigException(shape.Origin, $"with its substitutions the configuration is more than {MaxTreeDepth} levels deep here. Check the substitutions.");
        }

        List<KeyValuePair<string, ConfigNode>> fields = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (ObjectExpression layer in shape.Layers)
        {
            foreach (string key in layer.Keys)
            {
                if (seen.Add(key) && Build(shape.CellsOf(key)) is { } node)
                {
                    fields.Add(new KeyValuePair<string, ConfigNode>(key, node));
                }
            }
        }

        _treeDepth--;
        return new ConfigObject(shape.Origin, fields) { KeyOrigin = keyOrigin };
    }

    /// <summary>The finished value of a key or item; null when it has none.</summary>
    private ConfigNode? Build(List<HoconCell> cells)
    {
        foreach (HoconCell cell in cells)
        {
            if (!_building.Add(cell))
            {
                throw new ConfigException(cell.Value.Origin, "this value contains itself by way of its substitutions. Remove one of them.");
            }
        }

        (Shape shape, HoconCell? winner) = ShapeOf(cells, cells.Count);
        if (++_nodes > MaxNodes)
        {
            throw new ConfigException(cells[^1].Value.Origin, $"with its substitutions the configuration has more than {MaxNodes} values. Check the substitutions.");
        }

        ConfigNode? node = shape switch
        {
            ScalarShape scalar => scalar.Scalar with { KeyOrigin = winner?.KeyOrigin },
            ArrayShape array => new ConfigArray(array.Origin, [.. array.Items.Select(i => Build([i])).OfType<ConfigNode>()]) { KeyOrigin = winner?.KeyOrigin },
            ObjectShape inner => BuildObject(inner, winner?.KeyOrigin),
            _ => null,
        };
        foreach (HoconCell cell in cells)
        {
            _building.Remove(cell);
        }

        return node;
    }

    /// <summary>The shape of the first <paramref name="count"/> assignments of a key: the last one, merged with those before it when both are objects.</summary>
    private (Shape Shape, HoconCell? Winner) ShapeOf(List<HoconCell> cells, int count)
    {
        ObjectShape? merged = null;
        HoconCell? winner = null;
        for (int i = count - 1; i >= 0; i--)
        {
            Shape shape = ShapeOf(cells[i]);
            if (shape is MissingShape)
            {
                continue;
            }

            winner ??= cells[i];
            if (shape is not ObjectShape lower)
            {
                return (merged ?? shape, winner);
            }

            merged = merged is null ? lower : ObjectShape.Stack(merged.Origin, lower.Layers.Concat(merged.Layers));
        }

        return (merged ?? (Shape)MissingShape.Instance, winner);
    }

    private Shape ShapeOf(HoconCell cell)
    {
        if (_shapes.TryGetValue(cell, out Shape? known))
        {
            return known;
        }

        ConfigOrigin origin = cell.Value.Origin;
        if (!_evaluating.Add(cell))
        {
            throw new ConfigException(origin, "this value depends on itself by way of its substitutions. Remove one of them.");
        }

        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new ConfigException(origin, "this chain of substitutions is too long. Shorten it.");
        }

        Shape shape = Evaluate(cell.Value, cell);
        _depth--;
        _evaluating.Remove(cell);
        _shapes.Add(cell, shape);
        return shape;
    }

    private Shape Evaluate(HoconExpression expression, HoconCell cell) => expression switch
    {
        ScalarExpression scalar => new ScalarShape(new ConfigScalar(scalar.Origin, scalar.Text, scalar.Quoted)),
        ObjectExpression literal => new ObjectShape(literal.Origin, [literal]),
        ArrayExpression array => new ArrayShape(array.Origin, array.Items),
        SubstitutionExpression substitution => LookUp(substitution, cell),
        JoinExpression join => Join(join, cell),
        _ => throw new InvalidOperationException($"There is no rule for {expression.GetType().Name}."),
    };

    private Shape LookUp(SubstitutionExpression substitution, HoconCell cell)
    {
        for (int i = substitution.Prefixes.Count - 1; i >= -1; i--)
        {
            IReadOnlyList<string> path = i < 0 ? substitution.Path : [.. substitution.Prefixes[i], .. substitution.Path];
            Shape found = Find(path, cell);
            if (found is not MissingShape)
            {
                return found;
            }
        }

        string name = string.Join('.', substitution.Path);
        if (substitution.Environment && _environment.TryGetValue(name, out string? value))
        {
            return new ScalarShape(new ConfigScalar(new ConfigOrigin($"environment {name}", 0, 0), value, Quoted: false));
        }

        return substitution.Optional
            ? MissingShape.Instance
            : throw new ConfigException(
                substitution.Origin,
                $"${{{name}}} is defined neither in the configuration nor in the environment. Define it, or write ${{?{name}}} if it may be missing.");
    }

    private Shape Find(IReadOnlyList<string> path, HoconCell from)
    {
        ObjectShape current = _root;
        for (int i = 0; i < path.Count; i++)
        {
            List<HoconCell> cells = current.CellsOf(path[i]);
            (Shape shape, _) = ShapeOf(cells, CountBefore(cells, from));
            if (i == path.Count - 1)
            {
                return shape;
            }

            if (shape is not ObjectShape inner)
            {
                return MissingShape.Instance;
            }

            current = inner;
        }

        return MissingShape.Instance;
    }

    /// <summary>How many of the assignments a value may see: when it is one of them itself, only those before it.</summary>
    private static int CountBefore(List<HoconCell> cells, HoconCell from)
    {
        for (HoconCell? cell = from; cell is not null; cell = cell.Owner)
        {
            int index = cells.IndexOf(cell);
            if (index >= 0)
            {
                return index;
            }
        }

        return cells.Count;
    }

    private Shape Join(JoinExpression join, HoconCell cell)
    {
        List<(string Space, Shape Shape, ConfigOrigin Origin)> pieces = [];
        foreach (JoinPiece piece in join.Pieces)
        {
            pieces.Add((piece.SpaceBefore, Evaluate(piece.Value, cell), piece.Value.Origin));
        }

        List<(string Space, Shape Shape, ConfigOrigin Origin)> present = [.. pieces.Where(p => p.Shape is not MissingShape)];
        if (present.Count == 0)
        {
            return MissingShape.Instance;
        }

        (_, Shape first, _) = present[0];
        foreach ((_, Shape shape, ConfigOrigin origin) in present)
        {
            if (shape.GetType() != first.GetType())
            {
                throw new ConfigException(origin, $"{Name(shape)} cannot be joined to {Name(first)} on the same line. Put a line end or ',' between them.");
            }
        }

        return first switch
        {
            ArrayShape => JoinArrays(join, present.ConvertAll(p => (ArrayShape)p.Shape)),
            ObjectShape => ObjectShape.Stack(join.Origin, present.SelectMany(p => ((ObjectShape)p.Shape).Layers)),
            _ => JoinTexts(join, pieces),
        };
    }

    private ScalarShape JoinTexts(JoinExpression join, List<(string Space, Shape Shape, ConfigOrigin Origin)> pieces)
    {
        StringBuilder text = new();
        bool quoted = false;
        foreach ((string space, Shape shape, _) in pieces)
        {
            text.Append(space);
            if (shape is ScalarShape { Scalar: { } scalar })
            {
                text.Append(scalar.Text ?? "null");
                quoted |= scalar.Quoted;
            }

            if (_textLength + text.Length > MaxTextLength)
            {
                throw new ConfigException(join.Origin, "with its substitutions this text is too long. Check the substitutions.");
            }
        }

        _textLength += text.Length;
        return new ScalarShape(new ConfigScalar(join.Origin, text.ToString(), quoted));
    }

    private static ArrayShape JoinArrays(JoinExpression join, List<ArrayShape> arrays) =>
        arrays.Sum(a => (long)a.Items.Count) <= MaxNodes
            ? new ArrayShape(join.Origin, [.. arrays.SelectMany(a => a.Items)])
            : throw new ConfigException(join.Origin, $"with its substitutions this list has more than {MaxNodes} items. Check the substitutions.");

    private static string Name(Shape shape) => shape switch
    {
        ArrayShape => "an array",
        ObjectShape => "an object",
        _ => "a text",
    };
}
