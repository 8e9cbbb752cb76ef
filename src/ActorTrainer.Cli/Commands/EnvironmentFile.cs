using System.Text;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Commands;

/// <summary>
/// Reads <c>--env-file</c>. A line is <c>NAME=VALUE</c>, with or without <c>export</c> before it, or <c>NAME</c> for the value that it has
/// here; empty lines and what stands behind a <c>#</c> at the beginning or after white space is passed over. In double quotes
/// <c>\n</c>, <c>\t</c>, <c>\"</c> and <c>\\</c> have their meaning, single quotes keep all as it is, and <c>$</c> means nothing anywhere.
/// </summary>
internal static class EnvironmentFile
{
    private const string Export = "export ";

    /// <summary>The variables in the order of the file.</summary>
    /// <exception cref="UsageException">The file cannot be read, or a line of it; names both.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> Read(string file, CliContext cli)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(Path.GetFullPath(file, cli.WorkingDirectory));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--env-file: {file} cannot be read: {e.Message}");
        }

        List<KeyValuePair<string, string>> variables = [];
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length > 0 && line[0] != '#')
            {
                variables.Add(ReadLine(line, FormattableString.Invariant($"{file}:{i + 1}"), cli));
            }
        }

        return variables;
    }

    private static KeyValuePair<string, string> ReadLine(string line, string where, CliContext cli)
    {
        string rest = line.StartsWith(Export, StringComparison.Ordinal) ? line[Export.Length..] : line;
        int equals = rest.IndexOf('=', StringComparison.Ordinal);
        string name = (equals < 0 ? rest : rest[..equals]).Trim();
        if (TaskSpecRules.VariableProblem(name, null) is { } problem)
        {
            throw new UsageException($"{where}: '{name}' {problem}; a line is NAME=VALUE");
        }

        string? value = equals < 0 ? cli.Environment(name) : ReadValue(rest[(equals + 1)..].Trim(), where);
        return new(name, value ?? throw new UsageException($"{where}: {name} is not set here; set it, or write {name}=VALUE"));
    }

    private static string ReadValue(string text, string where)
    {
        if (text.Length == 0 || text[0] is not ('"' or '\''))
        {
            int comment = text.StartsWith('#') ? 0 : IndexOfComment(text);
            return comment < 0 ? text : text[..comment].TrimEnd();
        }

        StringBuilder value = new();
        char quote = text[0];
        int i = 1;
        for (; i < text.Length && text[i] != quote; i++)
        {
            _ = value.Append(quote == '"' && text[i] == '\\' && i + 1 < text.Length ? Unescape(text[++i]) : text[i]);
        }

        if (i == text.Length)
        {
            throw new UsageException(
                $"{where}: a {quote} is not closed; a value ends on its line, a newline in it is \\n in double quotes"
            );
        }

        string behind = text[(i + 1)..].TrimStart();
        return behind.Length == 0 || behind[0] == '#'
            ? value.ToString()
            : throw new UsageException($"{where}: there is more behind the closing {quote}; quote the whole value, or nothing of it");
    }

    private static int IndexOfComment(string text)
    {
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == '#' && char.IsWhiteSpace(text[i - 1]))
            {
                return i;
            }
        }

        return -1;
    }

    private static string Unescape(char c) =>
        c switch
        {
            'n' => "\n",
            't' => "\t",
            '"' or '\\' => c.ToString(),
            _ => $"\\{c}",
        };
}
