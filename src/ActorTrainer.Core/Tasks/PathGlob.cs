using System.Text;
using System.Text.RegularExpressions;

namespace ActorTrainer.Core.Tasks;

/// <summary>
/// A pattern for relative paths with <c>/</c>: <c>*</c> and <c>?</c> stay inside a segment, a segment <c>**</c> stands for any number of
/// segments, none as well.
/// </summary>
public sealed class PathGlob
{
    private readonly Regex _whole;

    private PathGlob(string pattern, Regex whole)
    {
        Pattern = pattern;
        _whole = whole;
    }

    /// <summary>The pattern as written.</summary>
    public string Pattern { get; }

    /// <summary>A pattern in which every other character stands for itself.</summary>
    public static PathGlob Plain(string pattern) => new(pattern, Compile(Translate(pattern, escapes: false)!));

    /// <summary>
    /// A pattern as in <c>.gitignore</c>, where <c>[…]</c> is one character of a set and <c>\</c> takes the next one as it is; null when
    /// it is malformed, so that it matches nothing.
    /// </summary>
    public static PathGlob? WithSets(string pattern) =>
        Translate(pattern, escapes: true) is { } expression ? new PathGlob(pattern, Compile(expression)) : null;

    /// <summary>Whether the pattern is this path; what is below a folder that it matches is not.</summary>
    public bool Matches(string path) => _whole.IsMatch(path);

    // Patterns come from users: no backtracking, so that none of them takes for ever.
    private static Regex Compile(string expression) =>
        new($@"\A{expression}\z", RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    private static string? Translate(string pattern, bool escapes)
    {
        StringBuilder regex = new();
        int at = 0;
        while (at < pattern.Length)
        {
            char c = pattern[at++];
            switch (c)
            {
                case '*':
                    at = Stars(pattern, at, regex);
                    break;
                case '?':
                    regex.Append("[^/]");
                    break;
                case '[' when escapes:
                    if (!TrySet(pattern, ref at, regex))
                    {
                        return null;
                    }

                    break;
                case '\\' when escapes:
                    if (at == pattern.Length)
                    {
                        return null;
                    }

                    regex.Append(Regex.Escape(pattern[at++].ToString()));
                    break;
                default:
                    regex.Append(Regex.Escape(c.ToString()));
                    break;
            }
        }

        return regex.ToString();
    }

    /// <summary>One star or more, the first of which was read; the place behind them.</summary>
    private static int Stars(string pattern, int at, StringBuilder regex)
    {
        bool begins = at == 1 || pattern[at - 2] == '/';
        int end = at;
        while (end < pattern.Length && pattern[end] == '*')
        {
            end++;
        }

        bool any = end > at && begins;
        if (any && end == pattern.Length)
        {
            regex.Append(".*");
            return end;
        }

        if (any && pattern[end] == '/')
        {
            regex.Append("(?:.*/)?");
            return end + 1;
        }

        regex.Append("[^/]*");
        return end;
    }

    /// <summary>A set whose bracket was read. As in git its first <c>]</c> is a character, and no set matches a slash.</summary>
    private static bool TrySet(string pattern, ref int at, StringBuilder regex)
    {
        bool negated = at < pattern.Length && pattern[at] is '!' or '^';
        if (negated)
        {
            at++;
        }

        StringBuilder set = new();
        int start = at;
        while (true)
        {
            if (at >= pattern.Length)
            {
                return false;
            }

            if (pattern[at] == ']' && at > start)
            {
                at++;
                break;
            }

            if (TryNamed(pattern, ref at, set))
            {
                continue;
            }

            if (!TryCharacter(pattern, ref at, out char first))
            {
                return false;
            }

            char last = first;
            if (at + 1 < pattern.Length && pattern[at] == '-' && pattern[at + 1] != ']')
            {
                at++;
                if (!TryCharacter(pattern, ref at, out last))
                {
                    return false;
                }
            }

            // As in git, a range that runs backwards is its first character.
            set.Append(Code(first)).Append('-').Append(Code(first <= last ? last : first));
        }

        regex.Append(negated ? $"[^/{set}]" : $"[{set}-[/]]");
        return true;
    }

    private static bool TryCharacter(string pattern, ref int at, out char character)
    {
        if (pattern[at] == '\\')
        {
            at++;
        }

        character = at < pattern.Length ? pattern[at] : '\0';
        return at++ < pattern.Length;
    }

    /// <summary>A class of POSIX such as <c>[:digit:]</c>, of ASCII.</summary>
    private static bool TryNamed(string pattern, ref int at, StringBuilder set)
    {
        if (
            !pattern.AsSpan(at).StartsWith("[:", StringComparison.Ordinal)
            || pattern.IndexOf(":]", at + 2, StringComparison.Ordinal) is not (> 0 and int end)
        )
        {
            return false;
        }

        string? members = pattern[(at + 2)..end] switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "blank" => @"\u0020\u0009",
            "cntrl" => @"\u0000-\u001f\u007f",
            "digit" => "0-9",
            "graph" => @"\u0021-\u007e",
            "lower" => "a-z",
            "print" => @"\u0020-\u007e",
            "punct" => @"\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e",
            "space" => @"\u0009-\u000d\u0020",
            "upper" => "A-Z",
            "xdigit" => "0-9A-Fa-f",
            _ => null,
        };
        if (members is null)
        {
            return false;
        }

        set.Append(members);
        at = end + 2;
        return true;
    }

    private static string Code(char c) => FormattableString.Invariant($@"\u{(int)c:x4}");
}
