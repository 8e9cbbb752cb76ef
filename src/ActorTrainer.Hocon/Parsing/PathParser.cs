using System.Text;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>A part of a path with its place.</summary>
internal readonly record struct PathElement(string Name, ConfigOrigin Origin);

/// <summary>Key paths such as <c>a.b."c.d"</c>. White space around a part is dropped, within a part it is kept.</summary>
internal static class PathParser
{
    /// <summary>Parses a path that takes up a whole text, as in an override.</summary>
    public static IReadOnlyList<string> ParseAll(string text, ConfigOrigin origin)
    {
        TextCursor cursor = new(text, origin.Source, null);
        List<PathElement> path;
        try
        {
            path = Parse(cursor, "a key");
        }
        catch (ConfigException)
        {
            path = [];
        }

        return path.Count > 0 && cursor.AtEnd
            ? [.. path.Select(e => e.Name)]
            : throw new ConfigException(origin, $"'{text}' is not a key. Use names joined by dots, for example actortrainer.node.address.");
    }

    /// <summary>Parses until something that is not part of a path; the caller checks what that is.</summary>
    public static List<PathElement> Parse(TextCursor cursor, string what)
    {
        List<PathElement> elements = [];
        StringBuilder name = new();
        bool any = false;
        string space = "";
        ConfigOrigin start = cursor.Here;
        while (true)
        {
            if (cursor.AtBlank)
            {
                TextMark mark = cursor.Mark();
                cursor.SkipBlanks();
                space = cursor.TextSince(mark);
                continue;
            }

            bool quoted = cursor.Current == '"';
            if (!quoted && !StringParser.AtUnquoted(cursor))
            {
                break;
            }

            if (!quoted && cursor.Current == '.')
            {
                Close(elements, name, any, start, cursor.Here, what);
                any = false;
                space = "";
                cursor.Advance();
                cursor.SkipBlanks();
                start = cursor.Here;
                continue;
            }

            start = any ? start : cursor.Here;
            name.Append(any ? space : "").Append(quoted ? StringParser.ParseQuoted(cursor) : ParseWord(cursor));
            any = true;
            space = "";
        }

        if (any || elements.Count > 0)
        {
            Close(elements, name, any, start, cursor.Here, what);
        }

        return elements;
    }

    private static string ParseWord(TextCursor cursor)
    {
        TextMark mark = cursor.Mark();
        while (StringParser.AtUnquoted(cursor) && cursor.Current != '.')
        {
            cursor.Advance();
        }

        return cursor.TextSince(mark);
    }

    private static void Close(List<PathElement> elements, StringBuilder name, bool any, ConfigOrigin start, ConfigOrigin here, string what)
    {
        if (!any)
        {
            throw new ConfigException(
                here,
                $"{what} has an empty part before or after a dot. Remove the dot, or write the empty part as \"\"."
            );
        }

        elements.Add(new PathElement(name.ToString(), start));
        name.Clear();
    }
}
