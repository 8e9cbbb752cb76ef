using System.Collections;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon.Extensions;
using ActorTrainer.Hocon.Parsing;
using Microsoft.Extensions.Configuration;

namespace ActorTrainer.Hocon;

/// <summary>
/// Reads a node's configuration. From the strongest to the weakest: overrides (flags), environment variables, files (a later one before an
/// earlier one), the built-in <c>reference.conf</c>.
/// </summary>
public static class NodeConfiguration
{
    /// <summary>The environment variables that are looked at, with their keys.</summary>
    public static IReadOnlyList<(string Variable, string KeyPath)> EnvironmentKeys { get; } =
    [
        ("ACTORTRAINER_SEED_NODES", "actortrainer.cluster.seed-nodes"),
        ("ACTORTRAINER_NODE_ADDRESS", "actortrainer.node.address"),
        ("ACTORTRAINER_NODE_NAME", "actortrainer.node.name"),
        ("ACTORTRAINER_DATA_DIR", "actortrainer.node.data-dir"),
        ("ACTORTRAINER_SLOTS", "actortrainer.node.slots"),
        ("ACTORTRAINER_TOKEN_FILE", "actortrainer.security.token-file"),
        ("ACTORTRAINER_JOURNAL_PATH", "actortrainer.journal.path"),
        ("ACTORTRAINER_CHECKPOINTS_PATH", "actortrainer.checkpoints.path"),
        ("ACTORTRAINER_LOG_LEVEL", "actortrainer.logging.level"),
    ];

    /// <summary>The whole configuration of a node, validated, with the token read from its file.</summary>
    /// <param name="paths">Configuration files; none: defaults, environment and overrides only.</param>
    /// <param name="overrides">Values of flags; a later one wins.</param>
    /// <param name="environment">Environment variables, see <see cref="ProcessEnvironment"/>; null: none.</param>
    /// <exception cref="ConfigException">Something is wrong; says where, what and what to do.</exception>
    public static NodeModel Load(
        IReadOnlyList<string> paths,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    ) => ToModel(LoadTree(paths, overrides, environment));

    /// <summary>What <see cref="Load"/> reads, before it is validated: every value with its place, the defaults too.</summary>
    /// <exception cref="ConfigException">A file cannot be read or has a mistake, or nothing knows the key of an override.</exception>
    public static ConfigObject LoadTree(
        IReadOnlyList<string> paths,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        List<ObjectExpression> layers = [ParseReference(), .. paths.Select(IncludeLoader.LoadFile)];
        OverrideKeys.Check(overrides ?? [], layers.SelectMany(layer => layer.Keys));
        layers.AddRange(OutsideLayers(overrides, environment));
        return HoconReader.Resolve(layers, environment);
    }

    /// <summary>The configuration of a host program: the section <c>actortrainer</c> over the built-in defaults, and <c>akka</c>.</summary>
    /// <param name="configuration">The host's configuration; keys as in <c>reference.conf</c>, without regard to case; those of <c>akka</c>
    /// as written.</param>
    /// <param name="overrides">Values that win over it.</param>
    /// <param name="environment">
    /// The <c>ACTORTRAINER_…</c> variables, which win over <paramref name="configuration"/> as they do over files; null: none.
    /// </param>
    /// <exception cref="ConfigException">Something is wrong; says where, what and what to do.</exception>
    public static NodeModel FromConfiguration(
        IConfiguration configuration,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    ) => ToModel(TreeOf(configuration, overrides, environment));

    /// <summary>What <see cref="FromConfiguration"/> reads, before it is validated.</summary>
    /// <exception cref="ConfigException">An override has a mistake.</exception>
    public static ConfigObject TreeOf(
        IConfiguration configuration,
        IReadOnlyList<ConfigOverride>? overrides = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        ConfigObject tree = ConfigurationTree.Read(configuration).Merge(Reference());
        OverrideKeys.Check(overrides ?? [], []);
        List<ObjectExpression> outside = [.. OutsideLayers(overrides, environment)];
        return outside.Count == 0 ? tree : HoconReader.Resolve(outside, environment).Merge(tree);
    }

    /// <summary>Validates a tree and reads the token file.</summary>
    /// <exception cref="ConfigException">Something is wrong.</exception>
    public static NodeModel ToModel(ConfigObject tree)
    {
        NodeModel model = NodeModelReader.Read(
            tree,
            new NodeSurroundings(ConfigPaths.Resolver(Environment.CurrentDirectory), Environment.ProcessorCount)
        );
        return model.Security.TokenFile is not { } file
            ? model
            : model with
            {
                Security = model.Security with
                {
                    Token = TokenFile.Read(file, tree.At("actortrainer", "security", "token-file")?.Origin ?? tree.Origin),
                },
            };
    }

    /// <summary>The built-in defaults.</summary>
    public static ConfigObject Reference() => HoconReader.Resolve([ParseReference()], null);

    /// <summary>The environment of this process.</summary>
    public static IReadOnlyDictionary<string, string> ProcessEnvironment() =>
        Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);

    private static ObjectExpression ParseReference()
    {
        using Stream stream = typeof(NodeConfiguration).Assembly.GetManifestResourceStream("reference.conf")!;
        using StreamReader reader = new(stream);
        return HoconReader.ParseText(reader.ReadToEnd(), ConfigOrigin.BuiltIn);
    }

    private static IEnumerable<ObjectExpression> OutsideLayers(
        IReadOnlyList<ConfigOverride>? overrides,
        IReadOnlyDictionary<string, string>? environment
    )
    {
        foreach ((string variable, string keyPath) in EnvironmentKeys)
        {
            // An empty variable counts as unset: that is what "export X=" and compose files mean by it.
            if (environment is not null && environment.TryGetValue(variable, out string? value) && value.Length > 0)
            {
                yield return OverrideLayer.Of(new ConfigOverride(keyPath, value, $"environment {variable}"));
            }
        }

        foreach (ConfigOverride item in overrides ?? [])
        {
            yield return OverrideLayer.Of(item);
        }
    }
}
