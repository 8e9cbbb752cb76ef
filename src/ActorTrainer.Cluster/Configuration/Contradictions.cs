using System.Globalization;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;
using Akka.Configuration;

namespace ActorTrainer.Cluster.Configuration;

/// <summary>Finds what the user's own <c>akka</c> section says otherwise than the <c>actortrainer</c> section does.</summary>
internal sealed class Contradictions
{
    /// <summary>Keys that <c>derived.conf</c> does not set and that would still say otherwise, with the value they would have.</summary>
    private static readonly (string[] Path, string Value)[] Unset =
    [
        (["remote", "dot-netty", "tcp", "public-port"], "port"),
        (["cluster", "sharding", "number-of-shards"], "number-of-shards"),
    ];

    private readonly Dictionary<ConfigOrigin, DerivedValue> _byOrigin = new(ReferenceEqualityComparer.Instance);

    private Contradictions(IReadOnlyList<DerivedValue> values)
    {
        foreach (DerivedValue value in values)
        {
            _byOrigin.Add(value.Value.Origin, value);
        }
    }

    /// <param name="own">The user's <c>akka</c> section.</param>
    /// <param name="derived">The derived one, its values with the origins that <paramref name="values"/> have.</param>
    /// <param name="values">What it was derived from.</param>
    /// <exception cref="ConfigException">The first contradiction, with both places.</exception>
    public static void Check(ConfigObject own, ConfigObject derived, IReadOnlyList<DerivedValue> values)
    {
        Contradictions check = new(values);
        check.CheckBelow(own, derived, "akka");
        foreach ((string[] path, string name) in Unset)
        {
            if (own.At(path) is { } node)
            {
                CheckValue(node, $"akka.{string.Join('.', path)}", values.First(v => v.Name == name));
            }
        }
    }

    private void CheckBelow(ConfigObject own, ConfigObject derived, string path)
    {
        foreach ((string key, ConfigNode below) in derived.Fields)
        {
            string name = $"{path}.{Key(key)}";
            ConfigNode? node = own.At(key);
            switch (node, below)
            {
                case (null, _):
                    break;
                case (ConfigObject upper, ConfigObject lower):
                    CheckBelow(upper, lower, name);
                    break;
                case (_, ConfigObject):
                    throw new ConfigException(
                        node.Origin,
                        $"{name} is not an object, and keys below it are needed; write {Key(key)} {{ … }}."
                    );
                case (ConfigObject, _):
                    throw new ConfigException(node.KeyOrigin ?? node.Origin, $"{name} is an object; write a value such as {Show(below)}.");
                default:
                    if (_byOrigin.TryGetValue(below.Origin, out DerivedValue? value))
                    {
                        CheckValue(node, name, value);
                    }

                    break;
            }
        }
    }

    private static void CheckValue(ConfigNode node, string name, DerivedValue value)
    {
        if (value.Rule == DerivedRule.Free || (value.Rule == DerivedRule.Tunable && value.Place is null) || Agrees(node, value))
        {
            return;
        }

        string said = value.Secret
            ? $"{name} contradicts {value.Key} ({value.PlaceText}), which sets it"
            : $"{name} = {Show(node)} contradicts {value.Key} = {Show(value.KeyValue)} ({value.PlaceText}), "
                + $"which makes it {Show(value.Value)}";
        throw new ConfigException(node.Origin, $"{said}; {value.Remedy}.");
    }

    private static bool Agrees(ConfigNode node, DerivedValue value) =>
        (node, value.Value) switch
        {
            (ConfigScalar { Text: { } own }, ConfigScalar { Text: { } derived }) => own == derived
                || own == value.Alias
                || AgreesAs(value.Kind, own, derived),
            (ConfigArray own, ConfigArray derived) => value.Kind == DerivedKind.AtLeast
                ? !Items(derived).Except(Items(own)).Any()
                : Items(own).SequenceEqual(Items(derived)),
            _ => false,
        };

    private static bool AgreesAs(DerivedKind kind, string own, string derived) =>
        kind switch
        {
            DerivedKind.Number => double.TryParse(own, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                && number == double.Parse(derived, NumberStyles.Float, CultureInfo.InvariantCulture),
            DerivedKind.Duration => DurationOf(own) is { } duration && duration == DurationOf(derived),
            _ => false,
        };

    private static IEnumerable<string?> Items(ConfigArray array) => array.Items.Select(item => (item as ConfigScalar)?.Text);

    /// <summary>Read by Akka.NET itself: what counts is what it makes of the text. Null: it makes nothing of it.</summary>
    private static TimeSpan? DurationOf(string text)
    {
        try
        {
            return ConfigurationFactory
                .ParseString($"v = {Show(new ConfigScalar(new ConfigOrigin("", 0, 0), text, Quoted: true))}")
                .GetTimeSpan("v");
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>A value as it would be written.</summary>
    private static string Show(ConfigNode node) => Rendered("v", node)["v = ".Length..];

    private static string Key(string key) =>
        Rendered(key, new ConfigScalar(new ConfigOrigin("", 0, 0), "1", Quoted: false))[..^" = 1".Length];

    private static string Rendered(string key, ConfigNode node) =>
        ConfigRenderer.Render(new ConfigObject(node.Origin, [KeyValuePair.Create(key, node)]), origins: false).TrimEnd('\n');
}
