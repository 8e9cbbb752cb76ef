using System.Globalization;
using System.Text;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon;

/// <summary>Writes a configuration as HOCON that reads back as the same values.</summary>
public static class ConfigRenderer
{
    /// <summary>Renders; with <paramref name="origins"/> each value is followed by a comment that says where it comes from.</summary>
    public static string Render(ConfigObject config, bool origins = true)
    {
        StringBuilder text = new();
        RenderFields(text, config, 0, origins);
        return text.ToString();
    }

    private static void RenderFields(StringBuilder text, ConfigObject config, int depth, bool origins)
    {
        foreach ((string key, ConfigNode node) in config.Fields)
        {
            text.Append(' ', 2 * depth).Append(Key(key));
            if (node is ConfigObject value)
            {
                text.Append(value.Fields.Count == 0 ? " {}" : " {");
                if (value.Fields.Count > 0)
                {
                    text.Append('\n');
                    RenderFields(text, value, depth + 1, origins);
                    text.Append(' ', 2 * depth).Append('}');
                }

                text.Append('\n');
                continue;
            }

            text.Append(" = ");
            RenderValue(text, node, depth, origins);
            if (origins && !IsMultiLine(node))
            {
                text.Append("  # ").Append(Comment(node.Origin));
            }

            text.Append('\n');
        }
    }

    private static void RenderValue(StringBuilder text, ConfigNode node, int depth, bool origins)
    {
        switch (node)
        {
            case ConfigScalar scalar:
                text.Append(Scalar(scalar));
                break;
            case ConfigArray array when !IsMultiLine(array):
                text.Append('[').AppendJoin(", ", array.Items.Cast<ConfigScalar>().Select(Scalar)).Append(']');
                break;
            case ConfigArray array:
                text.Append("[\n");
                foreach (ConfigNode item in array.Items)
                {
                    text.Append(' ', 2 * (depth + 1));
                    RenderValue(text, item, depth + 1, origins);
                    text.Append('\n');
                }

                text.Append(' ', 2 * depth).Append(']');
                break;
            case ConfigObject value:
                text.Append("{\n");
                RenderFields(text, value, depth + 1, origins);
                text.Append(' ', 2 * depth).Append('}');
                break;
        }
    }

    private static bool IsMultiLine(ConfigNode node) =>
        node is ConfigObject || (node is ConfigArray array && array.Items.Any(i => i is not ConfigScalar));

    private static string Key(string key) => IsPlain(key, spaces: false, dots: false) && key != "include" ? key : Quote(key);

    /// <summary>A number such as 1e+5 is written as 1e5, which every reader takes.</summary>
    private static string Scalar(ConfigScalar scalar) =>
        scalar.Text is null ? "null"
        : scalar.Quoted || scalar.Text == "null" ? Quote(scalar.Text)
        : ConfigJson.IsLiteral(scalar.Text) ? scalar.Text.Replace("+", "", StringComparison.Ordinal)
        : IsPlain(scalar.Text, spaces: true, dots: true) ? scalar.Text
        : Quote(scalar.Text);

    /// <summary>Whether the text means itself without quotes, by a rule that is stricter than the language.</summary>
    private static bool IsPlain(string text, bool spaces, bool dots)
    {
        if (text.Length == 0 || text[0] == ' ' || text[^1] == ' ' || text.Contains("//", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (char c in text)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' || (dots && c is '.' or '/' or '%') || (spaces && c == ' ')))
            {
                return false;
            }
        }

        return true;
    }

    private static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            switch (c)
            {
                case '"' or '\\':
                    quoted.Append('\\').Append(c);
                    break;
                case '\n':
                    quoted.Append("\\n");
                    break;
                case '\r':
                    quoted.Append("\\r");
                    break;
                case '\t':
                    quoted.Append("\\t");
                    break;
                default:
                    if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF')
                    {
                        quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    }
                    else
                    {
                        quoted.Append(c);
                    }

                    break;
            }
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>A place cannot end the comment, whatever the file is called.</summary>
    private static string Comment(ConfigOrigin origin) => string.Concat(origin.ToString().Select(c => char.IsControl(c) ? '?' : c));
}
