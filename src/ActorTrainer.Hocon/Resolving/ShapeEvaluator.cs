using System.Runtime.CompilerServices;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>
/// Looks up substitutions. Each assignment is a cell and is evaluated only to its <see cref="Shape"/>: that is what lets <c>bar { foo = 1,
/// baz = ${bar.foo} }</c> be no cycle. While a cell is evaluated, its key has only the assignments before it, by whatever way a
/// substitution comes back to it (HOCON specification, "Self-referential substitutions"); with none before it the key is missing, so a
/// cycle of optional substitutions ends as a missing value.
/// </summary>
internal sealed class ShapeEvaluator(ObjectShape root, IReadOnlyDictionary<string, string> environment)
{
    private const int MaxDepth = 2_000;

    /// <summary>
    /// Evaluations that could not be remembered. Only cycles make any, and crossing cycles could make exponentially many.
    /// </summary>
    private const int MaxRepeated = 100_000;

    private readonly ObjectShape _root = root;
    private readonly IReadOnlyDictionary<string, string> _environment = environment;
    private readonly ShapeJoiner _joiner = new();
    private readonly Dictionary<HoconCell, Shape> _shapes = [];

    /// <summary>The cells that are being evaluated, the outermost first, and the place of each in this list.</summary>
    private readonly List<HoconCell> _running = [];
    private readonly Dictionary<HoconCell, int> _depthOf = [];

    /// <summary>
    /// The outermost running cell that hid assignments from what is being evaluated. What was seen below a hiding cell that runs on holds
    /// only there, and is not remembered.
    /// </summary>
    private int _lowestHiding = int.MaxValue;
    private int _repeated;

    public FieldValue ValueOf(Field field) => ValueOf(field, field.Cells.Count);

    /// <summary>From now on this assignment counts as missing.</summary>
    public void Drop(HoconCell cell, Field field)
    {
        _shapes[cell] = MissingShape.Instance;
        field.Forget();
    }

    public Shape ShapeOf(HoconCell cell)
    {
        if (_shapes.TryGetValue(cell, out Shape? known))
        {
            return known;
        }

        int depth = _running.Count;
        int outer = _lowestHiding;
        _lowestHiding = int.MaxValue;

        // An item of a joined array sees its key as the whole assignment does.
        for (HoconCell? owner = cell.Owner; owner is not null; owner = owner.Owner)
        {
            if (owner.Value is JoinExpression && !_depthOf.ContainsKey(owner))
            {
                Enter(owner);
            }
        }

        Enter(cell);
        Shape shape = Evaluate(cell.Value, cell);
        while (_running.Count > depth)
        {
            _depthOf.Remove(_running[^1]);
            _running.RemoveAt(_running.Count - 1);
        }

        if (Settles(outer, cell.Value.Origin))
        {
            _shapes.Add(cell, shape);
        }

        return shape;
    }

    private void Enter(HoconCell cell)
    {
        ConfigOrigin origin = cell.Value.Origin;
        if (!_depthOf.TryAdd(cell, _running.Count))
        {
            throw DependsOnItself(origin);
        }

        _running.Add(cell);
        if (_running.Count > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new ConfigException(origin, "this chain of substitutions is too long. Shorten it.");
        }
    }

    /// <summary>
    /// Whether what was just evaluated holds everywhere; takes the hiding cells over to the outer evaluation when it does not.
    /// </summary>
    private bool Settles(int outer, ConfigOrigin origin)
    {
        if (_lowestHiding >= _running.Count)
        {
            _lowestHiding = outer;
            return true;
        }

        _lowestHiding = Math.Min(outer, _lowestHiding);
        return ++_repeated <= MaxRepeated
            ? false
            : throw new ConfigException(origin, "substitutions refer to each other in too many cycles here. Remove some of them.");
    }

    private FieldValue ValueOf(Field field, int count)
    {
        if (field.Knows(count, out FieldValue value))
        {
            return value;
        }

        int outer = _lowestHiding;
        _lowestHiding = int.MaxValue;
        value = Merge(field, count);
        if (Settles(outer, _root.Origin))
        {
            field.Remember(count, value);
        }

        return value;
    }

    /// <summary>
    /// The first <paramref name="count"/> assignments of a key: the last one, merged with those before it when both are objects.
    /// </summary>
    private FieldValue Merge(Field field, int count)
    {
        EvaluateAppends(field, count);
        ObjectShape? highest = null;
        HoconCell? winner = null;
        List<ObjectExpression>? layers = null;
        for (int i = count - 1; i >= 0; i--)
        {
            // A row of a = ${a} { … } has left the merged rest behind.
            bool rest = field.Knows(i + 1, out FieldValue below);
            Shape shape = rest ? below.Shape : ShapeOf(field.Cells[i]);
            if (shape is MissingShape)
            {
                continue;
            }

            winner ??= rest ? below.Winner : field.Cells[i];
            if (shape is not ObjectShape lower)
            {
                return new FieldValue(highest is null ? shape : Stacked(), winner);
            }

            highest ??= lower;
            (layers ??= []).AddRange(lower.Layers.Reverse());
            if (rest)
            {
                break;
            }
        }

        return new FieldValue(highest is null ? MissingShape.Instance : Stacked(), winner);

        Shape Stacked() => layers!.Count == highest!.Layers.Count ? highest : ObjectShape.Stack(highest.Origin, layers);
    }

    /// <summary>
    /// Evaluates a row of <c>+=</c> from its beginning, since each of them needs the one before it: a thousand of them are not a thousand
    /// calls deep.
    /// </summary>
    private void EvaluateAppends(Field field, int count)
    {
        int first = count;
        while (first > 0 && field.Cells[first - 1] is { Value: JoinExpression { AppendsTo: not null } } cell && !_shapes.ContainsKey(cell))
        {
            first--;
        }

        for (int i = first; i < count - 1; i++)
        {
            _ = ShapeOf(field.Cells[i]);
        }
    }

    private Shape Evaluate(HoconExpression expression, HoconCell cell) =>
        expression switch
        {
            ScalarExpression scalar => new ScalarShape(new ConfigScalar(scalar.Origin, scalar.Text, scalar.Quoted)),
            ObjectExpression literal => new ObjectShape(literal.Origin, [literal]),
            ArrayExpression array => new ArrayShape(array.Origin, null, array.Items),
            SubstitutionExpression substitution => LookUp(substitution, cell),
            JoinExpression join => _joiner.Join(join, [.. join.Pieces.Select(piece => Evaluate(piece.Value, cell))]),
            _ => throw new InvalidOperationException($"There is no rule for {expression.GetType().Name}."),
        };

    private Shape LookUp(SubstitutionExpression substitution, HoconCell from)
    {
        HoconCell? hiding = null;
        for (int i = substitution.Prefixes.Count - 1; i >= -1; i--)
        {
            IReadOnlyList<string> path = i < 0 ? substitution.Path : [.. substitution.Prefixes[i], .. substitution.Path];
            Shape found = Find(path, ref hiding);
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

        if (substitution.Optional)
        {
            if (hiding is not null && hiding != from)
            {
                // A cycle was cut here. Where it is cut depends on where it was entered, so not even the hiding cell's value is
                // remembered: each value of the cycle comes out the same in whatever order they are asked for.
                _lowestHiding = Math.Min(_lowestHiding, _depthOf[hiding] - 1);
            }

            return MissingShape.Instance;
        }

        throw hiding is not null && hiding != from
            ? DependsOnItself(hiding.Value.Origin)
            : new ConfigException(
                substitution.Origin,
                $"${{{name}}} is defined neither in the configuration nor in the environment. "
                    + $"Define it, or write ${{?{name}}} if it may be missing."
            );
    }

    /// <summary>The value at a path; <paramref name="hiding"/> becomes the running cell that hid assignments, if one did.</summary>
    private Shape Find(IReadOnlyList<string> path, ref HoconCell? hiding)
    {
        ObjectShape current = _root;
        for (int i = 0; i < path.Count; i++)
        {
            if (!current.Fields.TryGetValue(path[i], out Field? field))
            {
                return MissingShape.Instance;
            }

            int count = field.Cells.Count;
            if (InnermostRunning(field) is { } running)
            {
                hiding = running;
                count = field.PlaceOf(running);
                _lowestHiding = Math.Min(_lowestHiding, _depthOf[running]);
            }

            Shape shape = ValueOf(field, count).Shape;
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

    /// <summary>The assignment of a key that is being evaluated; of several the innermost one, which is the earliest assignment.</summary>
    private HoconCell? InnermostRunning(Field field)
    {
        HoconCell? found = null;
        if (field.Cells.Count <= _running.Count)
        {
            int depth = -1;
            foreach (HoconCell cell in field.Cells)
            {
                if (_depthOf.TryGetValue(cell, out int at) && at > depth)
                {
                    (found, depth) = (cell, at);
                }
            }

            return found;
        }

        for (int i = _running.Count - 1; i >= 0 && found is null; i--)
        {
            found = field.PlaceOf(_running[i]) >= 0 ? _running[i] : null;
        }

        return found;
    }

    private static ConfigException DependsOnItself(ConfigOrigin origin) =>
        new(origin, "this value depends on itself by way of its substitutions. Remove one of them.");
}
