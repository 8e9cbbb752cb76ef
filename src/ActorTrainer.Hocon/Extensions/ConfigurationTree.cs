using System.Globalization;
using ActorTrainer.Core.Configuration;
using Microsoft.Extensions.Configuration;

namespace ActorTrainer.Hocon.Extensions;

/// <summary>Turns a host's configuration back into a tree with places.</summary>
internal static class ConfigurationTree
{
    /// <summary>A root object with the one section; empty when the configuration does not have it.</summary>
    public static ConfigObject Read(IConfiguration configuration, string section)
    {
        ConfigOrigin origin = new("configuration", 0, 0);
        IConfigurationSection found = configuration.GetSection(section);
        return new ConfigObject(
            origin,
            found.Exists() ? [new KeyValuePair<string, ConfigNode>(section, ReadSection(configuration, found))] : []);
    }

    private static ConfigNode ReadSection(IConfiguration configuration, IConfigurationSection section)
    {
        List<IConfigurationSection> children = [.. section.GetChildren()];
        ConfigOrigin origin = OriginOf(configuration, section);
        if (children.Count == 0)
        {
            return new ConfigScalar(origin, section.Value, Quoted: false) { KeyOrigin = KeyOriginOf(configuration, section) };
        }

        if (children.All(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            return new ConfigArray(
                origin,
                [.. children.OrderBy(c => int.Parse(c.Key, CultureInfo.InvariantCulture)).Select(c => ReadSection(configuration, c))]);
        }

        // Configuration does not regard case, so the keys are brought to the one that is documented.
        return new ConfigObject(
            origin,
            [.. children.Select(c => new KeyValuePair<string, ConfigNode>(c.Key.ToLowerInvariant(), ReadSection(configuration, c)))])
        {
            KeyOrigin = KeyOriginOf(configuration, section),
        };
    }

    private static ConfigOrigin OriginOf(IConfiguration configuration, IConfigurationSection section) =>
        NodeOf(configuration, section)?.Origin ?? Place(configuration, section);

    private static ConfigOrigin KeyOriginOf(IConfiguration configuration, IConfigurationSection section) =>
        NodeOf(configuration, section)?.KeyOrigin ?? OriginOf(configuration, section);

    private static ConfigNode? NodeOf(IConfiguration configuration, IConfigurationSection section) =>
        (ProviderOf(configuration, section) as HoconConfigurationProvider)?.NodeAt(section.Path);

    private static ConfigOrigin Place(IConfiguration configuration, IConfigurationSection section) =>
        new(ProviderOf(configuration, section) is { } provider ? $"configuration {section.Path} ({provider})" : $"configuration {section.Path}", 0, 0);

    /// <summary>The provider whose value counts. A section without a value is placed where a HOCON file has it.</summary>
    private static IConfigurationProvider? ProviderOf(IConfiguration configuration, IConfigurationSection section) =>
        configuration is not IConfigurationRoot root ? null
        : section.Value is not null ? root.Providers.LastOrDefault(p => p.TryGet(section.Path, out _))
        : root.Providers.LastOrDefault(p => p is HoconConfigurationProvider hocon && hocon.NodeAt(section.Path) is not null);
}
