using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Splits a command that was written as one text, the way a shell does: white space, quotes, backslash, and nothing else.
/// </summary>
public static class CommandLine
{
    private const string ShellOnly = "|&;<>()$`*?~#";

    /// <summary>Splits; on failure <paramref name="problem"/> says what is wrong and what to write.</summary>
    public static bool TrySplit(string text, [NotNullWhen(true)] out IReadOnlyList<string>? words, out string problem)
    {
        words = null;
        List<string> result = [];
        StringBuilder word = new();
        bool any = false;
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote != '\0')
            {
                if (c == quote)
                {
                    quote = '\0';
                }
                else if (c == '\\' && quote == '"' && i + 1 < text.Length && text[i + 1] is '"' or '\\' or '$' or '`')
                {
                    word.Append(text[++i]);
                }
                else
                {
                    word.Append(c);
                }
            }
            else if (char.IsWhiteSpace(c))
            {
                EndWord();
            }
            else if (c is '\'' or '"')
            {
                quote = c;
                any = true;
            }
            else if (c == '\\' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
                any = true;
            }
            else if (ShellOnly.Contains(c, StringComparison.Ordinal) && (c is not ('~' or '#') || !any))
            {
                problem = $"'{c}' has a meaning only in a shell, and this is not run by one; quote it, or write [\"sh\", \"-c\", \"…\"]";
                return false;
            }
            else
            {
                word.Append(c);
                any = true;
            }
        }

        if (quote != '\0')
        {
            problem = $"a {quote} is not closed";
            return false;
        }

        EndWord();
        words = result;
        problem = "";
        return true;

        void EndWord()
        {
            if (any)
            {
                result.Add(word.ToString());
                word.Clear();
                any = false;
            }
        }
    }
}
