using System.Globalization;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Typed reading of an object of the configuration. It notes every key that is asked for, so that <see cref="RejectUnknownKeys"/> can name
/// the ones that nobody knows. A key that is missing or null has its default.
/// </summary>
public sealed class ConfigSection
{
    private readonly ConfigObject? _object;
    private readonly ConfigOrigin _origin;
    private readonly List<string> _keys = [];
    private readonly List<ConfigSection> _sections = [];
    private readonly ConfigSection _root;

    private ConfigSection(ConfigObject? value, ConfigOrigin origin, string path, ConfigSection? root)
    {
        _object = value;
        _origin = origin;
        Path = path;
        _root = root ?? this;
        _root._sections.Add(this);
    }

    /// <summary>The section's own key, from the root of the configuration.</summary>
    public string Path { get; }

    /// <summary>Whether the user wrote the section at all.</summary>
    public bool Exists => _object is not null;

    /// <summary>Where the section stands, or where it is missing from.</summary>
    public ConfigOrigin Origin => _origin;

    /// <summary>All keys that were asked for, with their whole paths, in the order of the questions.</summary>
    public IReadOnlyList<string> KnownKeys => [.. _root._sections.SelectMany(s => s._keys.Select(k => $"{s.Path}.{k}"))];

    /// <summary>
    /// The object at a key of the configuration's root, for example <c>actortrainer</c>. What stands beside it is not looked at.
    /// </summary>
    /// <exception cref="ConfigException">The key's value is not an object.</exception>
    public static ConfigSection Open(ConfigObject root, string key) =>
        Find(root, key) switch
        {
            null or ConfigScalar { Text: null } => new ConfigSection(null, root.Origin, key, null),
            ConfigObject value => new ConfigSection(value, value.KeyOrigin ?? value.Origin, key, null),
            { } other => throw new ConfigException(other.Origin, $"{key} is {Describe(other)}; write {key} {{ … }}."),
        };

    /// <summary>Reads an object that stands in an array.</summary>
    public ConfigSection Item(ConfigObject value, string key) => new(value, value.Origin, $"{Path}.{key}", _root);

    /// <summary>The section below a key; it is empty when the user did not write it.</summary>
    public ConfigSection Section(string key) =>
        Take(key) switch
        {
            null => new ConfigSection(null, _origin, $"{Path}.{key}", _root),
            ConfigObject value => new ConfigSection(value, value.KeyOrigin ?? value.Origin, $"{Path}.{key}", _root),
            { } other => throw Wrong(other, key, $"is {Describe(other)}; write {key} {{ … }}"),
        };

    /// <summary>The raw value; null when missing or null.</summary>
    public ConfigNode? Take(string key)
    {
        _keys.Add(key);
        ConfigNode? node = _object is null ? null : Find(_object, key);
        return node is ConfigScalar { Text: null } ? null : node;
    }

    /// <summary>A text with its place; null when missing or null.</summary>
    public ConfigScalar? Scalar(string key) =>
        Take(key) switch
        {
            null => null,
            ConfigScalar scalar => scalar,
            { } other => throw Wrong(other, key, $"is {Describe(other)}; write one value"),
        };

    /// <summary>A text; null when missing or null.</summary>
    public string? Text(string key) => Scalar(key)?.Text;

    /// <summary>A duration within bounds.</summary>
    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan min, TimeSpan max) => OptionalDuration(key, min, max) ?? fallback;

    internal TimeSpan Duration(string key, TimeSpan fallback, Bounds<TimeSpan> bounds) => Duration(key, fallback, bounds.Min, bounds.Max);

    /// <summary>A duration within bounds; null when missing or null.</summary>
    public TimeSpan? OptionalDuration(string key, TimeSpan min, TimeSpan max)
    {
        if (Scalar(key) is not { } scalar)
        {
            return null;
        }

        if (!Quantities.TryParseDuration(scalar.Text!, out TimeSpan value, out string problem))
        {
            throw Wrong(scalar, key, problem, scalar.Text);
        }

        return value >= min && value <= max
            ? value
            : throw Wrong(scalar, key, $"it must be from {Quantities.Format(min)} to {Quantities.Format(max)}", scalar.Text);
    }

    /// <summary>A size in bytes within bounds.</summary>
    public long Size(string key, long fallback, long min, long max) => OptionalSize(key, min, max) ?? fallback;

    /// <summary>A size in bytes within bounds; null when missing or null.</summary>
    public long? OptionalSize(string key, long min, long max)
    {
        if (Scalar(key) is not { } scalar)
        {
            return null;
        }

        if (!Quantities.TryParseSize(scalar.Text!, out long value, out string problem))
        {
            throw Wrong(scalar, key, problem, scalar.Text);
        }

        return value >= min && value <= max
            ? value
            : throw Wrong(scalar, key, $"it must be from {Quantities.FormatSize(min)} to {Quantities.FormatSize(max)}", scalar.Text);
    }

    /// <summary>A whole number within bounds.</summary>
    public int Int(string key, int fallback, int min, int max) => OptionalInt(key, min, max) ?? fallback;

    internal int Int(string key, int fallback, Bounds<int> bounds) => Int(key, fallback, bounds.Min, bounds.Max);

    /// <summary>A whole number within bounds; null when missing or null.</summary>
    public int? OptionalInt(string key, int min, int max)
    {
        if (Scalar(key) is not { } scalar)
        {
            return null;
        }

        if (!long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            throw Wrong(scalar, key, "that is not a whole number", scalar.Text);
        }

        return value >= min && value <= max
            ? (int)value
            : throw Wrong(scalar, key, string.Create(CultureInfo.InvariantCulture, $"it must be from {min} to {max}"), scalar.Text);
    }

    /// <summary>A percentage within bounds, as a fraction; null when missing or null.</summary>
    public double? OptionalPercent(string key, double min, double max)
    {
        if (Scalar(key) is not { } scalar)
        {
            return null;
        }

        if (!Quantities.TryParsePercent(scalar.Text!, out double value))
        {
            throw Wrong(scalar, key, "write a percentage, for example 1 %", scalar.Text);
        }

        return value >= min && value <= max
            ? value
            : throw Wrong(
                scalar,
                key,
                string.Create(CultureInfo.InvariantCulture, $"it must be from {min * 100} % to {max * 100} %"),
                scalar.Text
            );
    }

    /// <summary>true, yes or on; false, no or off.</summary>
    public bool Flag(string key, bool fallback)
    {
        if (Scalar(key) is not { } scalar)
        {
            return fallback;
        }

        return scalar.Text!.ToLowerInvariant() switch
        {
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => throw Wrong(scalar, key, "write true or false", scalar.Text),
        };
    }

    /// <summary>One of the values of an enumeration, given by their names; '_' and '-' are the same.</summary>
    public T Choice<T>(string key, T fallback, params ReadOnlySpan<(string Name, T Value)> choices)
    {
        if (Scalar(key) is not { } scalar)
        {
            return fallback;
        }

        List<string> names = [];
        string wanted = scalar.Text!.Replace('_', '-');
        foreach ((string name, T value) in choices)
        {
            if (string.Equals(name.Replace('_', '-'), wanted, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }

            names.Add(name);
        }

        throw Wrong(scalar, key, $"use one of {string.Join(", ", names)}", scalar.Text);
    }

    /// <summary>A list of texts: an array, or one text with commas between the items. Empty when missing.</summary>
    public IReadOnlyList<ConfigScalar> List(string key)
    {
        switch (Take(key))
        {
            case null:
                return [];
            case ConfigScalar scalar:
                return
                [
                    .. scalar
                        .Text!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                        .Select(item => scalar with { Text = item }),
                ];
            case ConfigArray array:
                foreach (ConfigNode item in array.Items)
                {
                    if (item is not ConfigScalar { Text: not null })
                    {
                        throw Wrong(item, key, $"has {Describe(item)} in its list; write texts");
                    }
                }

                return [.. array.Items.Cast<ConfigScalar>()];
            case { } other:
                throw Wrong(other, key, $"is {Describe(other)}; write a list such as [\"a\", \"b\"]");
        }
    }

    /// <summary>A mistake in the value of a key: <c>place: path is 'value': problem.</c></summary>
    public ConfigException Wrong(ConfigNode node, string key, string problem, string? value = null) =>
        new(node.Origin, value is null ? $"{Path}.{key} {problem}." : $"{Path}.{key} is '{value}': {problem}.");

    /// <summary>A mistake in the section as a whole, or in a key that is missing.</summary>
    public ConfigException Wrong(string problem) => new(_origin, problem);

    /// <summary>Call on any section when all keys have been asked for.</summary>
    /// <exception cref="ConfigException">There is a key that nobody asked for; names the nearest known one.</exception>
    public void RejectUnknownKeys()
    {
        foreach (ConfigSection section in _root._sections)
        {
            section.RejectOwnUnknownKeys();
        }
    }

    /// <summary>The same for this section alone, without those below it.</summary>
    /// <exception cref="ConfigException">There is a key that nobody asked for.</exception>
    public void RejectOwnUnknownKeys()
    {
        foreach ((string key, ConfigNode node) in _object?.Fields ?? [])
        {
            if (!_keys.Contains(key, StringComparer.Ordinal))
            {
                throw new ConfigException(node.KeyOrigin ?? node.Origin, $"{Path}.{key} is not a known key. {Advice(key)}");
            }
        }
    }

    private string Advice(string key)
    {
        if (NearestName.Find(key, _keys) is { } near)
        {
            return $"Did you mean {Path}.{near}?";
        }

        // A right name in a wrong section.
        IReadOnlyList<string> all = KnownKeys;
        string? last = NearestName.Find(key, all.Select(LastPart));
        return last is not null
            ? $"Did you mean {all.First(k => LastPart(k) == last)}?"
            : $"Known keys of {Path}: {string.Join(", ", _keys.Order(StringComparer.Ordinal))}.";
    }

    private static string LastPart(string path) => path[(path.LastIndexOf('.') + 1)..];

    private static ConfigNode? Find(ConfigObject value, string key)
    {
        foreach ((string name, ConfigNode node) in value.Fields)
        {
            if (name == key)
            {
                return node;
            }
        }

        return null;
    }

    private static string Describe(ConfigNode node) =>
        node switch
        {
            ConfigObject => "an object",
            ConfigArray => "a list",
            ConfigScalar { Text: null } => "null",
            ConfigScalar scalar => $"'{scalar.Text}'",
            _ => "something else",
        };
}
