namespace ActorTrainer.Core.Configuration;

/// <summary>Merging of finished configurations.</summary>
public static class ConfigMerge
{
    /// <summary>
    /// What this configuration does not say is taken from <paramref name="fallback"/>. Objects are merged key by key, everything else is
    /// replaced. Every value keeps its place. Keys stand in the order of the fallback, then the new ones.
    /// </summary>
    public static ConfigObject Merge(this ConfigObject config, ConfigObject fallback)
    {
        Dictionary<string, ConfigNode> own = new(StringComparer.Ordinal);
        foreach ((string key, ConfigNode node) in config.Fields)
        {
            own[key] = node;
        }

        List<KeyValuePair<string, ConfigNode>> fields = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach ((string key, ConfigNode below) in fallback.Fields)
        {
            seen.Add(key);
            ConfigNode node =
                !own.TryGetValue(key, out ConfigNode? above) ? below
                : above is ConfigObject upper && below is ConfigObject lower ? upper.Merge(lower)
                : above;
            fields.Add(new KeyValuePair<string, ConfigNode>(key, node));
        }

        fields.AddRange(config.Fields.Where(f => !seen.Contains(f.Key)));
        return config with { Fields = fields };
    }

    /// <summary>The node at a path; null when there is none.</summary>
    public static ConfigNode? At(this ConfigObject config, params ReadOnlySpan<string> path)
    {
        ConfigNode? node = config;
        foreach (string key in path)
        {
            node = (node as ConfigObject)?.Fields.FirstOrDefault(f => f.Key == key).Value;
        }

        return node;
    }
}
