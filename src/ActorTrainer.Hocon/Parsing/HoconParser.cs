using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>
/// Parses one text into an <see cref="ObjectExpression"/>; files that it includes are parsed at their place.
/// The language is described at github.com/lightbend/config, HOCON.md.
/// </summary>
internal sealed class HoconParser
{
    /// <summary>Deeper nesting, of included files too, is refused: no configuration needs it, and it would exhaust the stack.</summary>
    public const int MaxDepth = 100;

    private readonly TextCursor _cursor;
    private readonly IncludeParser _includes;
    private readonly IReadOnlyList<IReadOnlyList<string>> _prefixes;
    private readonly ValueParser _values;
    private int _depth;

    /// <param name="text">The text.</param>
    /// <param name="source">How messages name it.</param>
    /// <param name="includes">Loads included files; null when the text is not a file.</param>
    /// <param name="prefixes">The keys below which this text is included, outermost first.</param>
    /// <param name="depth">How deep the place is at which this text is included.</param>
    public HoconParser(string text, string source, IncludeLoader? includes, IReadOnlyList<IReadOnlyList<string>> prefixes, int depth)
    {
        _cursor = new TextCursor(text, source, includes?.Folder);
        _includes = new IncludeParser(_cursor, includes, prefixes);
        _depth = depth;
        _prefixes = prefixes;
        _values = new ValueParser(this, _cursor, prefixes);
    }

    /// <summary>Where the current object stands, from the root of all files; null within an array, where no path leads.</summary>
    public IReadOnlyList<string>? CurrentPath { get; private set; } = [];

    public ObjectExpression ParseRoot()
    {
        CurrentPath = _prefixes.Count > 0 ? _prefixes[^1] : [];
        _cursor.SkipToNext();
        ConfigOrigin start = _cursor.Here;
        if (_cursor.Current == '[')
        {
            throw new ConfigException(
                start,
                "a configuration is an object, not an array. Begin with a key, for example actortrainer { … }."
            );
        }

        ObjectExpression root;
        if (_cursor.Current == '{')
        {
            root = ParseObject();
            _cursor.SkipToNext();
        }
        else
        {
            root = new ObjectExpression(start);
            ParseFields(root, null);
        }

        return _cursor.AtEnd
            ? root
            : throw new ConfigException(
                _cursor.Here,
                $"{_cursor.Describe()} stands after the end of the configuration. Remove it, or add the '{{' that it closes."
            );
    }

    public ObjectExpression ParseObject()
    {
        ConfigOrigin start = _cursor.Here;
        Enter(start);
        _cursor.Advance();
        ObjectExpression result = new(start);
        ParseFields(result, start);
        _cursor.Advance();
        _depth--;
        return result;
    }

    /// <summary>Parses the items of an array; <paramref name="owner"/> is the cell that the array belongs to.</summary>
    public ArrayExpression ParseArray(HoconCell owner)
    {
        ConfigOrigin start = _cursor.Here;
        Enter(start);
        _cursor.Advance();
        List<HoconCell> items = [];
        IReadOnlyList<string>? outer = CurrentPath;
        CurrentPath = null;
        _cursor.SkipToNext();
        while (_cursor.Current != ']')
        {
            if (_cursor.AtEnd)
            {
                throw new ConfigException(start, "the array that begins here is not closed. Add ']'.");
            }

            HoconCell item = new(null) { Owner = owner };
            item.Value = _values.Parse(item, "an item of the array");
            items.Add(item);
            if (!SkipSeparator() && !_cursor.AtEnd && _cursor.Current != ']')
            {
                throw new ConfigException(
                    _cursor.Here,
                    $"{_cursor.Describe()} follows an item of an array. Put ',' or a line end between items, or close the array with ']'."
                );
            }
        }

        _cursor.Advance();
        CurrentPath = outer;
        _depth--;
        return new ArrayExpression(start, items);
    }

    /// <summary>
    /// Parses fields up to the closing brace, which is left; or up to the end of the text when <paramref name="opened"/> is null.
    /// </summary>
    private void ParseFields(ObjectExpression target, ConfigOrigin? opened)
    {
        _cursor.SkipToNext();
        while (!_cursor.AtEnd && _cursor.Current != '}')
        {
            ParseField(target);
            if (!SkipSeparator() && !_cursor.AtEnd && _cursor.Current != '}')
            {
                throw new ConfigException(
                    _cursor.Here,
                    $"{_cursor.Describe()} follows a value. Put ',' or a line end before the next key{QuoteAdvice()}."
                );
            }
        }

        if (opened is not null && _cursor.AtEnd)
        {
            throw new ConfigException(opened, "the object that begins here is not closed. Add '}'.");
        }
    }

    private string QuoteAdvice() =>
        StringParser.IsReserved(_cursor.Current) && _cursor.Current is not ('{' or '}' or '[' or ']')
            ? ", or put a value that contains this character in double quotes"
            : "";

    /// <summary>Skips one comma with the white space around it; says whether there was a comma or a line end.</summary>
    private bool SkipSeparator()
    {
        bool found = _cursor.SkipToNext();
        if (_cursor.TryTake(','))
        {
            found = true;
            _cursor.SkipToNext();
        }

        return _cursor.Current == ',' && !_cursor.AtEnd
            ? throw new ConfigException(_cursor.Here, "there is a ',' too many. Remove it.")
            : found;
    }

    private void ParseField(ObjectExpression target)
    {
        ConfigOrigin start = _cursor.Here;
        if (_includes.AtInclude())
        {
            Enter(start);
            if (_includes.Parse(CurrentPath, _depth) is { } included)
            {
                target.AddAll(included);
            }

            _depth--;
            return;
        }

        List<PathElement> path = PathParser.Parse(_cursor, "this key");
        if (path.Count == 0)
        {
            throw new ConfigException(
                start,
                $"{_cursor.Describe()} stands where a key is expected. A key that contains such a character needs double quotes."
            );
        }

        if (path.Count > MaxDepth)
        {
            throw new ConfigException(start, $"this key has more than {MaxDepth} parts. Shorten it.");
        }

        string name = string.Join('.', path.Select(e => e.Name));
        bool append = ParseKeyEnd(name);
        HoconCell cell = new(path[^1].Origin);
        IReadOnlyList<string>? outer = CurrentPath;
        CurrentPath = outer is null ? null : [.. outer, .. path.Select(e => e.Name)];
        cell.Value = append ? ParseAppend(cell, start, name) : ParseValue(cell, name);
        CurrentPath = outer;
        Assign(target, path, cell);
    }

    /// <summary>Parses what stands between a key and its value; says whether it is <c>+=</c>.</summary>
    private bool ParseKeyEnd(string name)
    {
        TextMark mark = _cursor.Mark();
        _cursor.SkipToNext();
        if (_cursor.Current == '{')
        {
            return false;
        }

        bool append = _cursor.LooksAt("+=");
        if (append)
        {
            _cursor.Advance(2);
        }
        else if (!_cursor.TryTake('=') && !_cursor.TryTake(':'))
        {
            _cursor.Return(mark);
            string advice =
                _cursor.AtEnd || _cursor.Current is '\n' or '}' or ',' or '#' or '/'
                    ? ""
                    : " A key that contains such a character needs double quotes.";
            throw new ConfigException(
                _cursor.Here,
                $"{_cursor.Describe()} follows the key '{name}'. Write '{name} = value' or '{name} {{ … }}'.{advice}"
            );
        }

        return append;
    }

    private HoconExpression ParseValue(HoconCell cell, string name)
    {
        _cursor.SkipBlanks();
        ConfigOrigin expected = _cursor.Here;
        bool lineEnded = _cursor.SkipToNext();
        HoconExpression value = _values.Parse(cell, $"the value of '{name}'");
        if (lineEnded && (_cursor.Current is '=' or ':' || _cursor.LooksAt("+=") || IsKeyWithBraces(value)))
        {
            // What was taken for the value is the next key.
            throw new ConfigException(
                expected,
                $"the value of '{name}' is missing: the end of the line stands in its place. Write a value; \"\" is the empty text."
            );
        }

        return value;
    }

    private static bool IsKeyWithBraces(HoconExpression value) =>
        value is JoinExpression { Pieces: [{ Value: ScalarExpression }, .., { Value: ObjectExpression }] };

    /// <summary><c>key += v</c> is <c>key = ${?key} [v]</c>.</summary>
    private JoinExpression ParseAppend(HoconCell cell, ConfigOrigin start, string name)
    {
        if (CurrentPath is not { } path)
        {
            throw new ConfigException(
                start,
                $"'{name} +=' does not work within an array, nor within another '+='. Write the whole list with '='."
            );
        }

        // What is appended is an item of an array, where no path leads.
        CurrentPath = null;
        HoconCell item = new(null) { Owner = cell };
        item.Value = ParseValue(item, name);
        ConfigOrigin origin = item.Value.Origin;
        return new JoinExpression(
            origin,
            [
                new JoinPiece("", new SubstitutionExpression(start, path, [], optional: true, environment: false)),
                new JoinPiece("", new ArrayExpression(origin, [item])),
            ],
            name
        );
    }

    private static void Assign(ObjectExpression target, List<PathElement> path, HoconCell cell)
    {
        for (int i = 0; i < path.Count - 1; i++)
        {
            ObjectExpression inner = new(path[i + 1].Origin);
            target.Add(path[i].Name, new HoconCell(path[i].Origin) { Value = inner });
            target = inner;
        }

        target.Add(path[^1].Name, cell);
    }

    private void Enter(ConfigOrigin place)
    {
        if (++_depth > MaxDepth)
        {
            throw new ConfigException(
                place,
                $"objects, arrays and includes are nested more than {MaxDepth} levels deep here. Check the braces and the included files."
            );
        }
    }
}
