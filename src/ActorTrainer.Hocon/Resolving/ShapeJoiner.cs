using System.Text;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon.Resolving;

/// <summary>
/// Joins values that follow each other on a line. Counts the text that it makes: substitutions can double it again and again.
/// </summary>
internal sealed class ShapeJoiner
{
    private const int MaxTextLength = 16 << 20;
    private const int MaxItems = HoconResolver.MaxNodes;

    private long _textLength;

    /// <param name="join">The expression.</param>
    /// <param name="shapes">What its pieces have come to.</param>
    public Shape Join(JoinExpression join, IReadOnlyList<Shape> shapes)
    {
        int first = -1;
        for (int i = 0; i < shapes.Count; i++)
        {
            if (shapes[i] is MissingShape)
            {
                continue;
            }

            first = first < 0 ? i : first;
            if (shapes[i].GetType() != shapes[first].GetType())
            {
                throw Mismatch(join, join.Pieces[i].Value.Origin, shapes[first], shapes[i]);
            }
        }

        if (first < 0)
        {
            // White space between substitutions is a text, even when both are missing.
            return join.Pieces.Any(piece => piece.SpaceBefore.Length > 0) ? JoinTexts(join, shapes) : MissingShape.Instance;
        }

        return shapes[first] switch
        {
            ArrayShape => JoinArrays(join, [.. shapes.OfType<ArrayShape>()]),
            ObjectShape => ObjectShape.Stack(join.Origin, shapes.OfType<ObjectShape>().SelectMany(shape => shape.Layers).Reverse()),
            _ => JoinTexts(join, shapes),
        };
    }

    private static ConfigException Mismatch(JoinExpression join, ConfigOrigin origin, Shape first, Shape other) =>
        join.AppendsTo is { } key
            ? new ConfigException(
                origin,
                $"'{key} +=' adds to a list, but {key} is {Name(first)} until here ({PlaceOf(first)}). "
                    + $"Write a list there, or '{key} =' here."
            )
            : new ConfigException(
                origin,
                $"{Name(other)} cannot be joined to {Name(first)} on the same line. Put a line end or ',' between them."
            );

    private ScalarShape JoinTexts(JoinExpression join, IReadOnlyList<Shape> shapes)
    {
        StringBuilder text = new();
        bool quoted = false;
        for (int i = 0; i < shapes.Count; i++)
        {
            text.Append(join.Pieces[i].SpaceBefore);
            if (shapes[i] is ScalarShape { Scalar: { } scalar })
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
        string joined = text.ToString();

        // A joined value is a text, also when it looks like a number.
        return new ScalarShape(new ConfigScalar(join.Origin, joined, quoted || ConfigJson.IsLiteral(joined)));
    }

    private static ArrayShape JoinArrays(JoinExpression join, List<ArrayShape> arrays)
    {
        if (arrays.Sum(array => array.Count) > MaxItems)
        {
            throw new ConfigException(
                join.Origin,
                $"with its substitutions this list has more than {MaxItems} items. Check the substitutions."
            );
        }

        ArrayShape joined = arrays[0];
        foreach (ArrayShape next in arrays.Skip(1))
        {
            joined = new ArrayShape(join.Origin, joined, next.Items());
        }

        return joined;
    }

    private static string Name(Shape shape) =>
        shape switch
        {
            ArrayShape => "an array",
            ObjectShape => "an object",
            ScalarShape { Scalar.Text: null } => "null",
            _ => "a text",
        };

    private static ConfigOrigin? PlaceOf(Shape shape) =>
        shape switch
        {
            ArrayShape array => array.Origin,
            ObjectShape value => value.Origin,
            ScalarShape scalar => scalar.Scalar.Origin,
            _ => null,
        };
}
