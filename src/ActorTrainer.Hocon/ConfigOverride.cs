using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Parsing;

namespace ActorTrainer.Hocon;

/// <summary>A value from outside the files that wins over them.</summary>
/// <param name="KeyPath">The key, for example <c>actortrainer.node.address</c>.</param>
/// <param name="Value">
/// The value, taken as it is; a list may be a text with commas. One in <c>[ ]</c> or <c>{ }</c> is read as HOCON.
/// </param>
/// <param name="Origin">How messages name its place, for example <c>flag --address</c>.</param>
public sealed record ConfigOverride(string KeyPath, string Value, string Origin);

/// <summary>Turns an override into a layer above the files.</summary>
internal static class OverrideLayer
{
    /// <exception cref="ConfigException">The key is not a path, or the value is not HOCON.</exception>
    public static ObjectExpression Of(ConfigOverride item)
    {
        ConfigOrigin origin = new(item.Origin, 0, 0);
        IReadOnlyList<string> path = PathParser.ParseAll(item.KeyPath, origin);

        // An address such as [::1]:7400 begins with a bracket too, but does not end with one.
        HoconExpression value = item.Value.Trim() is ['[', .., ']'] or ['{', .., '}']
            ? Parse(item.Value, origin)
            : new ScalarExpression(origin, item.Value, quoted: false);
        for (int i = path.Count - 1; i >= 0; i--)
        {
            ObjectExpression outer = new(origin);
            outer.Add(path[i], new HoconCell(origin) { Value = value });
            value = outer;
        }

        return (ObjectExpression)value;
    }

    private static HoconExpression Parse(string value, ConfigOrigin origin)
    {
        try
        {
            return HoconReader.ParseText($"value = {value}", origin.Source).CellsOf("value")[^1].Value;
        }
        catch (ConfigException e)
        {
            // A line and column would be those of a text that the user never sees.
            throw new ConfigException(origin, $"'{value}': {e.Problem}");
        }
    }
}
