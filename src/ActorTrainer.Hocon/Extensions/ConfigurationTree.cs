using System.Globalization;
using ActorTrainer.Core.Configuration;
using Microsoft.Extensions.Configuration;

namespace ActorTrainer.Hocon.Extensions;

/// <summary>Turns a host's configuration back into a tree with places.</summary>
internal static class ConfigurationTree
{
    /// <summary>
    /// A root object with the sections that are read: <c>actortrainer</c> and <c>akka</c>; one that is not there is left out.
    /// </summary>
    public static ConfigObject Read(IConfiguration configuration)
    {
        List<KeyValuePair<string, ConfigNode>> fields = [];
        Add("actortrainer", exactKeys: false);

        // Names of types are keys there, and Akka.NET regards case.
        Add("akka", exactKeys: true);
        return new ConfigObject(new ConfigOrigin("configuration", 0, 0), fields);

        void Add(string name, bool exactKeys)
        {
            IConfigurationSection found = configuration.GetSection(name);
            if (found.Exists())
            {
                fields.Add(new KeyValuePair<string, ConfigNode>(name, ReadSection(configuration, found, exactKeys)));
            }
        }
    }

    private static ConfigNode ReadSection(IConfiguration configuration, IConfigurationSection section, bool exactKeys)
    {
        List<IConfigurationSection> children = [.. section.GetChildren()];
        ConfigOrigin origin = OriginOf(configuration, section);
        if (children.Count == 0)
        {
            if (NodeOf(configuration, section) is ConfigArray { Items.Count: 0 } empty)
            {
                return empty;
            }

            return new ConfigScalar(origin, section.Value, Quoted: false) { KeyOrigin = KeyOriginOf(configuration, section) };
        }

        if (children.All(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            return new ConfigArray(
                origin,
                [
                    .. children
                        .OrderBy(c => int.Parse(c.Key, CultureInfo.InvariantCulture))
                        .Select(c => ReadSection(configuration, c, exactKeys)),
                ]
            );
        }

        // Configuration does not regard case, so our own keys are brought to the one that is documented.
        return new ConfigObject(
            origin,
            [
                .. children.Select(c => new KeyValuePair<string, ConfigNode>(
                    exactKeys ? c.Key : c.Key.ToLowerInvariant(),
                    ReadSection(configuration, c, exactKeys)
                )),
            ]
        )
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
        new(
            ProviderOf(configuration, section) is { } provider
                ? $"configuration {section.Path} ({provider})"
                : $"configuration {section.Path}",
            0,
            0
        );

    /// <summary>The provider whose value counts. A section without a value is placed where a HOCON file has it.</summary>
    private static IConfigurationProvider? ProviderOf(IConfiguration configuration, IConfigurationSection section) =>
        configuration is not IConfigurationRoot root ? null
        : section.Value is not null ? root.Providers.LastOrDefault(p => p.TryGet(section.Path, out _))
        : root.Providers.LastOrDefault(p => p is HoconConfigurationProvider hocon && hocon.NodeAt(section.Path) is not null);
}
