using System.Globalization;

namespace ActorTrainer.Bench.Common;

/// <summary>Options of the form <c>--name value</c> over their defaults; the last of a name wins.</summary>
internal sealed class OptionSet
{
    private readonly Dictionary<string, string> _values;

    private OptionSet(Dictionary<string, string> values) => _values = values;

    /// <summary>Reads the arguments.</summary>
    /// <param name="arguments">What was given.</param>
    /// <param name="defaults">Every option that there is, with its default.</param>
    /// <exception cref="OptionException">One of them is no option, or has no value.</exception>
    public static OptionSet Parse(IReadOnlyList<string> arguments, params (string Name, string Default)[] defaults)
    {
        Dictionary<string, string> values = defaults.ToDictionary(option => option.Name, option => option.Default);
        for (int i = 0; i < arguments.Count; i += 2)
        {
            if (!values.ContainsKey(arguments[i]) || i + 1 == arguments.Count)
            {
                throw new OptionException($"'{arguments[i]}' is no option, or has no value: there are {string.Join(", ", values.Keys)}");
            }

            values[arguments[i]] = arguments[i + 1];
        }

        return new OptionSet(values);
    }

    /// <summary>One or several of some words, with commas between.</summary>
    /// <exception cref="OptionException">It is something else.</exception>
    public IReadOnlyList<string> Several(string name, params IReadOnlyList<string> allowed)
    {
        string[] words = _values[name].Split(',');
        return words.Except(allowed).Any()
            ? throw new OptionException($"{name} takes {string.Join(", ", allowed)} or several with commas between, not '{_values[name]}'")
            : [.. words.Distinct()];
    }

    /// <summary>One of some words.</summary>
    /// <exception cref="OptionException">It is something else.</exception>
    public string One(string name, params IReadOnlyList<string> allowed) =>
        allowed.Contains(_values[name])
            ? _values[name]
            : throw new OptionException($"{name} takes {string.Join(" or ", allowed)}, not '{_values[name]}'");

    /// <summary>A whole number.</summary>
    /// <exception cref="OptionException">It is something else, or out of range.</exception>
    public int Number(string name, int least, int most = int.MaxValue) =>
        int.TryParse(_values[name], NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new OptionException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name} takes a whole number {(most == int.MaxValue ? $"from {least} on" : $"from {least} to {most}")}, "
                        + $"not '{_values[name]}'"
                )
            );
}

/// <summary>An argument that is not right, and what would be.</summary>
internal sealed class OptionException(string message) : Exception(message);
