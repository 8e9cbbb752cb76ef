using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>
/// Parses one text into an <see cref="ObjectExpression"/>; files that it includes are parsed at their place.
/// The language is described at github.com/lightbend/config, HOCON.md.
/// </summary>
internal sealed class HoconParser
{
    /// <summary>Deeper nesting is refused: no configuration needs it, and it would exhaust the stack.</summary>
    public const int MaxDepth = 100;

    private readonly TextCursor _cursor;
    private readonly IncludeLoader? _includes;
    private readonly IReadOnlyList<IReadOnlyList<string>> _prefixes;
    private readonly ValueParser _values;
    private int _depth;

    /// <param name="text">The text.</param>
    /// <param name="source">How messages name it.</param>
    /// <param name="includes">Loads included files; null when the text is not a file.</param>
    /// <param name="prefixes">The keys below which this text is included, outermost first.</param>
    public HoconParser(string text, string source, IncludeLoader? includes, IReadOnlyList<IReadOnlyList<string>> prefixes)
    {
        _cursor = new TextCursor(text, source, includes?.Folder);
        _includes = includes;
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
            throw new ConfigException(start, "a configuration is an object, not an array. Begin with a key, for example actortrainer { … }.");
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
                _cursor.Here, $"{_cursor.Describe()} stands after the end of the configuration. Remove it, or add the '{{' that it closes.");
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
                throw new ConfigException(_cursor.Here, $"{_cursor.Describe()} follows an item of an array. Put ',' or a line end between items, or close the array with ']'.");
            }
        }

        _cursor.Advance();
        CurrentPath = outer;
        _depth--;
        return new ArrayExpression(start, items);
    }

    /// <summary>Parses fields up to the closing brace, which is left; or up to the end of the text when <paramref name="opened"/> is null.</summary>
    private void ParseFields(ObjectExpression target, ConfigOrigin? opened)
    {
        _cursor.SkipToNext();
        while (!_cursor.AtEnd && _cursor.Current != '}')
        {
            ParseField(target);
            if (!SkipSeparator() && !_cursor.AtEnd && _cursor.Current != '}')
            {
                throw new ConfigException(_cursor.Here, $"{_cursor.Describe()} follows a value. Put ',' or a line end before the next key{QuoteAdvice()}.");
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
        if (AtInclude())
        {
            ParseInclude(target, start);
            return;
        }

        List<PathElement> path = PathParser.Parse(_cursor, "this key");
        if (path.Count == 0)
        {
            throw new ConfigException(start, $"{_cursor.Describe()} stands where a key is expected. A key that contains such a character needs double quotes.");
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
        if (append)
        {
            cell.Value = ParseAppend(cell, start, name);
        }
        else
        {
            cell.Value = _values.Parse(cell, $"the value of '{name}'");
        }

        CurrentPath = outer;
        Assign(target, path, cell);
    }

    /// <summary>Parses what stands between a key and its value; says whether it is <c>+=</c>.</summary>
    private bool ParseKeyEnd(string name)
    {
        // A brace may stand on the line after its key; nothing else may.
        var mark = _cursor.Mark();
        _cursor.SkipToNext();
        if (_cursor.Current == '{')
        {
            return false;
        }

        _cursor.Return(mark);
        bool append = _cursor.LooksAt("+=");
        if (append)
        {
            _cursor.Advance(2);
        }
        else if (!_cursor.TryTake('=') && !_cursor.TryTake(':'))
        {
            string advice = _cursor.AtEnd || _cursor.Current is '\n' or '}' or ',' or '#' or '/'
                ? ""
                : " A key that contains such a character needs double quotes.";
            throw new ConfigException(_cursor.Here, $"{_cursor.Describe()} follows the key '{name}'. Write '{name} = value' or '{name} {{ … }}'.{advice}");
        }

        _cursor.SkipToNext();
        return append;
    }

    /// <summary><c>key += v</c> is <c>key = ${?key} [v]</c>.</summary>
    private JoinExpression ParseAppend(HoconCell cell, ConfigOrigin start, string name)
    {
        if (CurrentPath is not { } path)
        {
            throw new ConfigException(start, $"'{name} +=' does not work within an array. Write the whole list with '='.");
        }

        HoconCell item = new(null) { Owner = cell };
        ConfigOrigin origin = _cursor.Here;
        item.Value = _values.Parse(item, $"the value of '{name}'");
        return new JoinExpression(
            origin,
            [
                new JoinPiece("", new SubstitutionExpression(start, path, [], optional: true, environment: false)),
                new JoinPiece("", new ArrayExpression(origin, [item])),
            ]);
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

    private bool AtInclude()
    {
        if (!_cursor.LooksAt("include"))
        {
            return false;
        }

        var mark = _cursor.Mark();
        _cursor.Advance("include".Length);
        bool blank = _cursor.AtBlank;
        _cursor.SkipBlanks();
        bool include = _cursor.Current == '"' ||
            (blank && (_cursor.LooksAt("file(") || _cursor.LooksAt("required(") || _cursor.LooksAt("url(") || _cursor.LooksAt("classpath(")));
        _cursor.Return(mark);
        return include;
    }

    private void ParseInclude(ObjectExpression target, ConfigOrigin start)
    {
        _cursor.Advance("include".Length);
        _cursor.SkipBlanks();
        bool required = TakeWord("required(");
        bool file = TakeWord("file(");
        if (_cursor.Current != '"')
        {
            throw new ConfigException(_cursor.Here, "only files can be included. Write include \"other.conf\", include file(\"other.conf\") or include required(\"other.conf\").");
        }

        ConfigOrigin place = _cursor.Here;
        string name = StringParser.ParseQuoted(_cursor);
        for (int open = (required ? 1 : 0) + (file ? 1 : 0); open > 0; open--)
        {
            _cursor.SkipBlanks();
            if (!_cursor.TryTake(')'))
            {
                throw new ConfigException(_cursor.Here, $"{_cursor.Describe()} follows the included file's name. Add ')'.");
            }
        }

        if (_includes is null)
        {
            throw new ConfigException(start, "only a file can include another one. Put this configuration in a file, or write the other one's content here.");
        }

        IReadOnlyList<IReadOnlyList<string>> prefixes = CurrentPath is { Count: > 0 } path ? [.. _prefixes, path] : _prefixes;
        if (_includes.Load(name, place, required, prefixes) is { } included)
        {
            target.AddAll(included);
        }
    }

    private bool TakeWord(string word)
    {
        if (!_cursor.LooksAt(word))
        {
            return false;
        }

        _cursor.Advance(word.Length);
        _cursor.SkipBlanks();
        return true;
    }

    private void Enter(ConfigOrigin place)
    {
        if (++_depth > MaxDepth)
        {
            throw new ConfigException(place, $"objects and arrays are nested more than {MaxDepth} levels deep here. Check the braces.");
        }
    }
}
