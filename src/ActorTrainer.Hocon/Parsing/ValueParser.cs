using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>Parses a value: one piece, or several on a line that are joined.</summary>
internal sealed class ValueParser(HoconParser parser, TextCursor cursor, IReadOnlyList<IReadOnlyList<string>> prefixes)
{
    private readonly HoconParser _parser = parser;
    private readonly TextCursor _cursor = cursor;
    private readonly IReadOnlyList<IReadOnlyList<string>> _prefixes = prefixes;

    public HoconExpression Parse(HoconCell cell, string what)
    {
        ConfigOrigin start = _cursor.Here;
        List<JoinPiece> pieces = [];
        string space = "";
        while (true)
        {
            if (_cursor.AtBlank)
            {
                TextMark mark = _cursor.Mark();
                _cursor.SkipBlanks();
                space = _cursor.TextSince(mark);
            }

            if (ParsePiece(cell) is not { } piece)
            {
                break;
            }

            pieces.Add(new JoinPiece(pieces.Count == 0 ? "" : space, piece));
            space = "";
        }

        return pieces.Count switch
        {
            0 => throw Missing(what),
            1 => pieces[0].Value,
            _ => new JoinExpression(start, pieces),
        };
    }

    private ConfigException Missing(string what)
    {
        bool wrong = !_cursor.AtEnd && StringParser.IsReserved(_cursor.Current) && _cursor.Current is not ('}' or ']' or ',');
        return new ConfigException(
            _cursor.Here,
            wrong
                ? $"{_cursor.Describe()} cannot begin {what}. Put the value in double quotes."
                : $"{what} is missing: {_cursor.Describe()} stands in its place. Write a value; \"\" is the empty text."
        );
    }

    private HoconExpression? ParsePiece(HoconCell cell)
    {
        if (_cursor.AtEnd)
        {
            return null;
        }

        ConfigOrigin start = _cursor.Here;
        switch (_cursor.Current)
        {
            case '{':
                return _parser.ParseObject();
            case '[':
                return _parser.ParseArray(cell);
            case '"':
                return new ScalarExpression(start, StringParser.ParseQuoted(_cursor), quoted: true);
            case '$':
                return ParseSubstitution();
            default:
                if (!StringParser.AtUnquoted(_cursor))
                {
                    return null;
                }

                string text = StringParser.ParseUnquoted(_cursor);
                return new ScalarExpression(start, text == "null" ? null : text, quoted: false);
        }
    }

    private SubstitutionExpression ParseSubstitution()
    {
        ConfigOrigin start = _cursor.Here;
        if (_cursor.Peek(1) != '{')
        {
            throw new ConfigException(start, "'$' begins a substitution such as ${key}. Put a value with a plain '$' in double quotes.");
        }

        _cursor.Advance(2);
        bool optional = _cursor.TryTake('?');
        List<PathElement> path = PathParser.Parse(_cursor, "this substitution");
        if (path.Count == 0 || !_cursor.TryTake('}'))
        {
            throw new ConfigException(
                start,
                $"this substitution is not complete: {_cursor.Describe()} stands where "
                    + $"{(path.Count == 0 ? "a key" : "'}'")} is expected. Write ${{key}} or ${{?key}}."
            );
        }

        return new SubstitutionExpression(start, [.. path.Select(e => e.Name)], _prefixes, optional, environment: true);
    }
}
