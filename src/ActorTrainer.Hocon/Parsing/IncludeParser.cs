using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>Parses <c>include …</c> and reads the file that it names.</summary>
internal sealed class IncludeParser(TextCursor cursor, IncludeLoader? loader, IReadOnlyList<IReadOnlyList<string>> prefixes)
{
    private const string Keyword = "include";

    private static readonly string[] Forms = ["required(", "file(", "url(", "classpath("];

    private readonly TextCursor _cursor = cursor;
    private readonly IncludeLoader? _loader = loader;
    private readonly IReadOnlyList<IReadOnlyList<string>> _prefixes = prefixes;

    /// <summary>Whether the word stands here by itself and without quotes, which makes it no key.</summary>
    public bool AtInclude()
    {
        if (!_cursor.LooksAt(Keyword))
        {
            return false;
        }

        TextMark mark = _cursor.Mark();
        _cursor.Advance(Keyword.Length);
        bool alone = !StringParser.AtUnquoted(_cursor);
        _cursor.Return(mark);
        return alone;
    }

    /// <summary>Parses the include and the file; null when there is no file and that is allowed.</summary>
    /// <param name="path">Where the current object stands; null within an array.</param>
    /// <param name="depth">How deep that is.</param>
    public ObjectExpression? Parse(IReadOnlyList<string>? path, int depth)
    {
        ConfigOrigin start = _cursor.Here;
        _cursor.Advance(Keyword.Length);
        _cursor.SkipToNext();
        if (_cursor.Current != '"' && !Forms.Any(_cursor.LooksAt))
        {
            throw NoName();
        }

        bool required = TakeWord("required(");
        bool file = TakeWord("file(");
        ConfigOrigin place = _cursor.Here;
        if (_cursor.Current != '"')
        {
            throw OnlyFiles(place);
        }

        string name = StringParser.ParseQuoted(_cursor);
        if (name.Contains("://", StringComparison.Ordinal))
        {
            throw OnlyFiles(place);
        }

        for (int open = (required ? 1 : 0) + (file ? 1 : 0); open > 0; open--)
        {
            _cursor.SkipBlanks();
            if (!_cursor.TryTake(')'))
            {
                throw new ConfigException(_cursor.Here, $"{_cursor.Describe()} follows the included file's name. Add ')'.");
            }
        }

        if (_loader is null)
        {
            throw new ConfigException(
                start,
                "only a file can include another one. Put this configuration in a file, or write the other one's content here."
            );
        }

        return _loader.Load(name, place, required, path is { Count: > 0 } ? [.. _prefixes, path] : _prefixes, depth);
    }

    private static ConfigException OnlyFiles(ConfigOrigin place) =>
        new(
            place,
            "only files can be included. Write include \"other.conf\", include file(\"other.conf\") or include required(\"other.conf\")."
        );

    private ConfigException NoName()
    {
        ConfigOrigin place = _cursor.Here;
        string found = _cursor.Describe();
        string word = StringParser.ParseUnquoted(_cursor);
        return new ConfigException(
            place,
            $"{(word.Length > 0 ? $"'{word}'" : found)} stands where 'include' needs the name of a file in double quotes. "
                + $"Write include \"{(word.Length > 0 ? word : "other.conf")}\"; a key of this name is written \"include\"."
        );
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
}
