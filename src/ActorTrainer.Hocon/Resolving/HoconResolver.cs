using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>Builds the finished tree out of what <see cref="ShapeEvaluator"/> finds.</summary>
internal sealed class HoconResolver
{
    public const int MaxNodes = 1_000_000;

    private const int MaxTreeDepth = 250;

    private readonly ObjectShape _root;
    private readonly ShapeEvaluator _shapes;
    private readonly HashSet<HoconCell> _building = [];
    private int _treeDepth;
    private long _nodes;

    /// <summary>Set when a value was come to again while it is being built, until the substitution that led there has been found.</summary>
    private bool _containsItself;

    /// <summary>The key below which that happened, in the object that was left last.</summary>
    private string? _keyOfLoop;

    public HoconResolver(IReadOnlyList<ObjectExpression> layers, IReadOnlyDictionary<string, string> environment)
    {
        _root = new ObjectShape(layers[^1].Origin, layers);
        _shapes = new ShapeEvaluator(_root, environment);
    }

    public ConfigObject Resolve() => BuildObject(_root, null);

    private ConfigObject BuildObject(ObjectShape shape, ConfigOrigin? keyOrigin)
    {
        if (++_treeDepth > MaxTreeDepth)
        {
            throw new ConfigException(
                shape.Origin,
                $"with its substitutions the configuration is more than {MaxTreeDepth} levels deep here. Check the substitutions."
            );
        }

        List<KeyValuePair<string, ConfigNode>> fields = [];
        foreach ((string key, Field field) in shape.Fields)
        {
            if (Build(field) is { } node)
            {
                fields.Add(new KeyValuePair<string, ConfigNode>(key, node));
            }

            if (_containsItself)
            {
                _keyOfLoop = key;
                break;
            }
        }

        _treeDepth--;
        return new ConfigObject(shape.Origin, fields) { KeyOrigin = keyOrigin };
    }

    private ConfigArray BuildArray(ArrayShape shape, ConfigOrigin? keyOrigin)
    {
        List<ConfigNode> items = [];
        foreach (HoconCell item in shape.Items())
        {
            if (Build(new Field([item])) is { } node)
            {
                items.Add(node);
            }

            if (_containsItself)
            {
                _keyOfLoop = null;
                break;
            }
        }

        return new ConfigArray(shape.Origin, items) { KeyOrigin = keyOrigin };
    }

    /// <summary>The finished value of a key or item; null when it has none.</summary>
    private ConfigNode? Build(Field field)
    {
        ConfigNode? node = BuildOnce(field);
        while (_containsItself && BreakLoop(field))
        {
            node = BuildOnce(field);
        }

        return node;
    }

    private ConfigNode? BuildOnce(Field field)
    {
        if (field.Cells.Any(_building.Contains))
        {
            _containsItself = true;
            return null;
        }

        FieldValue value = _shapes.ValueOf(field);
        if (++_nodes > MaxNodes)
        {
            throw new ConfigException(
                field.Cells[^1].Value.Origin,
                $"with its substitutions the configuration has more than {MaxNodes} values. Check the substitutions."
            );
        }

        _building.UnionWith(field.Cells);
        ConfigOrigin? keyOrigin = value.Winner?.KeyOrigin;
        ConfigNode? node = value.Shape switch
        {
            ScalarShape scalar => scalar.Scalar with { KeyOrigin = keyOrigin },
            ArrayShape array => BuildArray(array, keyOrigin),
            ObjectShape inner => BuildObject(inner, keyOrigin),
            _ => null,
        };
        _building.ExceptWith(field.Cells);
        return node;
    }

    /// <summary>
    /// Handles a value that contains itself: the innermost substitution on the way counts as missing when it is optional. Says whether it
    /// was among these assignments and the value is to be built anew.
    /// </summary>
    private bool BreakLoop(Field field)
    {
        if (field.Cells.Any(_building.Contains))
        {
            return false;
        }

        foreach (HoconCell cell in field.Cells.Reverse())
        {
            Shape shape = _shapes.ShapeOf(cell);
            bool leadsThere = shape is ArrayShape || (shape is ObjectShape inner && _keyOfLoop is { } key && inner.Fields.ContainsKey(key));
            switch (cell.Value)
            {
                case SubstitutionExpression { Optional: true } when leadsThere:
                    _shapes.Drop(cell, field);
                    _containsItself = false;
                    return true;
                case SubstitutionExpression or JoinExpression when leadsThere:
                    throw new ConfigException(
                        cell.Value.Origin,
                        "this value contains itself by way of its substitutions. Remove one of them."
                    );
            }

            if (shape is not (ObjectShape or MissingShape))
            {
                return false;
            }
        }

        return false;
    }
}
