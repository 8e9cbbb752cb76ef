using System.Globalization;

namespace ActorTrainer.Core.Progress;

/// <summary>Reads lines that are one record: JSON, or what Python prints of a dict. Only its own members count, not nested ones.</summary>
internal static class RecordLine
{
    /// <summary>What the line says; null: it is not such a line, or says nothing.</summary>
    public static LineReading? Read(ReadOnlySpan<char> text)
    {
        FieldCollector fields = new();
        int at = 1;
        while (true)
        {
            SkipBlanks(text, ref at);
            if (at < text.Length && text[at] == '}')
            {
                return text[(at + 1)..].IsWhiteSpace()
                    ? fields.ToReading() is { } reading
                        ? reading with
                        {
                            IsRecord = true,
                        }
                        : null
                    : null;
            }

            if (!TryReadText(text, ref at, out ReadOnlySpan<char> name))
            {
                return null;
            }

            SkipBlanks(text, ref at);
            if (at == text.Length || text[at++] != ':')
            {
                return null;
            }

            SkipBlanks(text, ref at);
            if (!TryReadValue(text, ref at, out ReadOnlySpan<char> value))
            {
                return null;
            }

            string normal = FieldNames.Normal(name);
            if (normal is "split" or "phase" or "mode" or "stage" && FieldNames.SaysEvaluation(value))
            {
                return null;
            }

            if (value.Length > 0 && IsNumber(value, out double number))
            {
                bool whole = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _);
                fields.Add(normal, number, null, whole, oneWord: true);
            }

            SkipBlanks(text, ref at);
            if (at < text.Length && text[at] == ',')
            {
                at++;
            }
            else if (at == text.Length || text[at] != '}')
            {
                return null;
            }
        }
    }

    private static bool IsNumber(ReadOnlySpan<char> value, out double number)
    {
        number =
            value.Equals("nan", StringComparison.OrdinalIgnoreCase) ? double.NaN
            : value.TrimStart('-') is "inf" or "Infinity" or "Inf" ? (value[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity)
            : 0;
        return number != 0
            || double.TryParse(
                value,
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture,
                out number
            );
    }

    /// <summary>A member's value: a text without its quotes, a number or a word as they are; empty for a nested one.</summary>
    private static bool TryReadValue(ReadOnlySpan<char> text, ref int at, out ReadOnlySpan<char> value)
    {
        value = [];
        if (at == text.Length)
        {
            return false;
        }

        if (text[at] is '"' or '\'')
        {
            return TryReadText(text, ref at, out value);
        }

        if (text[at] is '{' or '[' or '(')
        {
            return SkipNested(text, ref at);
        }

        int from = at;
        while (at < text.Length && text[at] is not (',' or '}' or '{' or '[' or '('))
        {
            at++;
        }

        value = text[from..at].Trim();
        // tensor(0.31, device='cuda:0') and the like.
        return at < text.Length && (text[at] is not ('{' or '[' or '(') || SkipCall(text, ref at, ref value));
    }

    private static bool SkipCall(ReadOnlySpan<char> text, ref int at, ref ReadOnlySpan<char> value)
    {
        value = [];
        return SkipNested(text, ref at);
    }

    private static bool SkipNested(ReadOnlySpan<char> text, ref int at)
    {
        int depth = 0;
        while (at < text.Length)
        {
            char c = text[at];
            if (c is '"' or '\'')
            {
                if (!TryReadText(text, ref at, out _))
                {
                    return false;
                }

                continue;
            }

            depth +=
                c is '{' or '[' or '(' ? 1
                : c is '}' or ']' or ')' ? -1
                : 0;
            at++;
            if (depth == 0)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryReadText(ReadOnlySpan<char> text, ref int at, out ReadOnlySpan<char> value)
    {
        value = [];
        if (at == text.Length || text[at] is not ('"' or '\''))
        {
            return false;
        }

        char quote = text[at++];
        int from = at;
        while (at < text.Length && text[at] != quote)
        {
            at += text[at] == '\\' ? 2 : 1;
        }

        if (at >= text.Length)
        {
            at = text.Length;
            return false;
        }

        value = text[from..at++];
        return true;
    }

    private static void SkipBlanks(ReadOnlySpan<char> text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }
}
