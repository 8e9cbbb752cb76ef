using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Parsing;

/// <summary>Strings in one or three quotes, and text without quotes.</summary>
internal static partial class StringParser
{
    /// <summary>The characters that end a text without quotes (HOCON specification, "Unquoted strings").</summary>
    private const string Reserved = "$\"{}[]:=,+#`^?!@*&\\";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>Whether a text without quotes goes on here.</summary>
    public static bool AtUnquoted(TextCursor cursor) =>
        !cursor.AtEnd && cursor.Current != '\n' && !TextCursor.IsBlank(cursor.Current) && !cursor.AtComment && !IsReserved(cursor.Current);

    public static bool IsReserved(char c) => Reserved.Contains(c, StringComparison.Ordinal);

    public static string ParseUnquoted(TextCursor cursor)
    {
        TextMark mark = cursor.Mark();
        while (
            AtUnquoted(cursor)
            || (cursor.Current == '+' && char.IsAsciiDigit(cursor.Peek(1)) && BeforeExponent().IsMatch(cursor.TextSince(mark)))
        )
        {
            cursor.Advance();
        }

        return cursor.TextSince(mark);
    }

    public static string ParseQuoted(TextCursor cursor)
    {
        ConfigOrigin start = cursor.Here;
        if (cursor.LooksAt("\"\"\""))
        {
            return ParseTripleQuoted(cursor, start);
        }

        cursor.Advance();
        StringBuilder text = new();
        while (true)
        {
            if (cursor.AtEnd || cursor.Current == '\n' || cursor.LooksAt("\r\n"))
            {
                throw new ConfigException(
                    start,
                    "this string has no closing quote on its line. Add '\"', or use three quotes for a text of several lines."
                );
            }

            char c = cursor.Current;
            if (c == '"')
            {
                cursor.Advance();
                return text.ToString();
            }

            if (c < ' ')
            {
                throw new ConfigException(
                    cursor.Here,
                    $"{cursor.Describe()} cannot stand in a quoted string. "
                        + $"Write {(c == '\t' ? "\\t" : FormattableString.Invariant($"\\u{(int)c:x4}"))}, or use three quotes."
                );
            }

            if (c == '\\')
            {
                text.Append(ParseEscape(cursor));
            }
            else
            {
                text.Append(c);
                cursor.Advance();
            }
        }
    }

    /// <summary>Everything up to the closing quotes, as it stands; quotes beyond three belong to the text.</summary>
    private static string ParseTripleQuoted(TextCursor cursor, ConfigOrigin start)
    {
        cursor.Advance(3);
        TextMark mark = cursor.Mark();
        while (!cursor.LooksAt("\"\"\"") || cursor.Peek(3) == '"')
        {
            if (cursor.AtEnd)
            {
                throw new ConfigException(start, "this text in three quotes is not closed. Add '\"\"\"'.");
            }

            cursor.Advance();
        }

        string text = cursor.TextSince(mark);
        cursor.Advance(3);
        return text;
    }

    private static char ParseEscape(TextCursor cursor)
    {
        ConfigOrigin place = cursor.Here;
        char c = cursor.Peek(1);
        int length = 2;
        char value;
        switch (c)
        {
            case '"' or '\\' or '/':
                value = c;
                break;
            case 'b':
                value = '\b';
                break;
            case 'f':
                value = '\f';
                break;
            case 'n':
                value = '\n';
                break;
            case 'r':
                value = '\r';
                break;
            case 't':
                value = '\t';
                break;
            case 'u':
                // Asked of each character: a parser of numbers overlooks NULs at the end, which the end of the text looks like too.
                ReadOnlySpan<char> digits = [cursor.Peek(2), cursor.Peek(3), cursor.Peek(4), cursor.Peek(5)];
                if (digits.ContainsAnyExcept(HexDigits))
                {
                    throw new ConfigException(place, "'\\u' needs four hexadecimal digits, for example \\u00e9.");
                }

                value = (char)ushort.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                length = 6;
                break;
            default:
                throw new ConfigException(
                    place,
                    "this is not an escape that a quoted string knows. "
                        + "Use \\\\ for a backslash, or one of \\\" \\n \\t \\r \\b \\f \\/ \\uXXXX."
                );
        }

        cursor.Advance(length);
        return value;
    }

    /// <summary>A number that ends in the letter of its exponent: only there may a '+' stand without quotes.</summary>
    [GeneratedRegex(@"^-?[0-9]+(\.[0-9]+)?[eE]\z", RegexOptions.CultureInvariant)]
    private static partial Regex BeforeExponent();
}
