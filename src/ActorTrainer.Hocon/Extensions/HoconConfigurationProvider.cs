using System.Globalization;
using ActorTrainer.Core.Configuration;
using Microsoft.Extensions.Configuration;

namespace ActorTrainer.Hocon.Extensions;

/// <summary>A HOCON file as a source of configuration.</summary>
internal sealed class HoconConfigurationSource(string path, bool optional, IReadOnlyDictionary<string, string> environment)
    : IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => new HoconConfigurationProvider(path, optional, environment);
}

/// <summary>Flattens a HOCON file: keys are joined by ':', items of arrays have their number as key.</summary>
internal sealed class HoconConfigurationProvider(string path, bool optional, IReadOnlyDictionary<string, string> environment)
    : ConfigurationProvider
{
    private readonly Dictionary<string, ConfigNode> _nodes = new(StringComparer.OrdinalIgnoreCase);

    public override void Load()
    {
        Data.Clear();
        _nodes.Clear();
        if (!optional || File.Exists(path))
        {
            Flatten("", HoconReader.ReadFile(path, environment));
        }
    }

    /// <summary>The value at a flat key with its place in the file; null when this file does not have it.</summary>
    public ConfigNode? NodeAt(string key) => _nodes.GetValueOrDefault(key);

    public override string ToString() => $"HOCON file {path}";

    private void Flatten(string key, ConfigNode node)
    {
        if (key.Length > 0)
        {
            _nodes[key] = node;
        }

        switch (node)
        {
            case ConfigObject value:
                foreach ((string name, ConfigNode field) in value.Fields)
                {
                    Flatten(Join(key, name), field);
                }

                break;
            case ConfigArray { Items.Count: 0 }:
                // Without an entry an empty list could not hide a default.
                Data[key] = "";
                break;
            case ConfigArray array:
                for (int i = 0; i < array.Items.Count; i++)
                {
                    Flatten(Join(key, i.ToString(CultureInfo.InvariantCulture)), array.Items[i]);
                }

                break;
            case ConfigScalar scalar:
                Data[key] = scalar.Text;
                break;
        }
    }

    private static string Join(string key, string name) => key.Length == 0 ? name : $"{key}:{name}";
}
