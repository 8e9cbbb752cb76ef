using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Cli.Hosting;

/// <summary>Configuration files in HOCON, with the environment of this process.</summary>
internal sealed class ConfigurationFiles : IConfigurationFiles
{
    private const string TaskKey = "task";
    private const string NodeKey = "actortrainer";
    private const string AkkaKey = "akka";

    public NodeModel ReadNode(string? file, IReadOnlyList<Flag> flags)
    {
        NodeModel model = NodeConfiguration.Load(
            file is null ? [] : [file],
            [.. flags.Select(flag => new ConfigOverride(flag.Key, flag.Value, $"flag {flag.Option}"))],
            NodeConfiguration.ProcessEnvironment()
        );
        _ = AkkaSection.Derive(model);
        return model;
    }

    /// <summary>
    /// Flags may name a key of the task with or without <c>task.</c> before it. Whoever gives a script is told how that is run.
    /// </summary>
    public TaskDraft ReadTask(string file, string workingDirectory, IReadOnlyList<Flag> flags)
    {
        try
        {
            return ReadDraft(file, workingDirectory, flags);
        }
        catch (ConfigException e) when (IsScript(file))
        {
            string command = Path.GetExtension(file) == ".py" ? $"python3 {file}" : Path.Combine(".", file);
            throw new ConfigException(
                e.Origin,
                $"this is no task file but a script: to run it, use 'actortrainer run -- {command}'. (Read as a task file: {e.Problem})"
            );
        }
    }

    private static TaskDraft ReadDraft(string file, string workingDirectory, IReadOnlyList<Flag> flags)
    {
        ConfigObject tree = HoconReader.ReadFile(file, NodeConfiguration.ProcessEnvironment());
        foreach (Flag flag in flags)
        {
            tree = Layer(flag).Merge(tree);
        }

        return TaskSpecReader.ReadDraft(tree, ConfigPaths.Resolver(workingDirectory));
    }

    public string Check(string file, string workingDirectory)
    {
        ConfigObject tree = HoconReader.ReadFile(file, NodeConfiguration.ProcessEnvironment());
        List<string> found = [];
        if (Has(tree, TaskKey))
        {
            found.Add($"task {TaskSpecReader.ReadDraft(tree, ConfigPaths.Resolver(workingDirectory)).Spec.Name}");
        }

        if (IsNode(tree))
        {
            NodeModel model = ReadNode(file, []);
            found.Add($"node {model.NodeName} of cluster {model.ClusterName}");
        }

        return found.Count > 0 ? $"ok, {string.Join(" and ", found)}" : throw Neither(tree);
    }

    public string Render(string file, string workingDirectory)
    {
        ConfigObject tree = HoconReader.ReadFile(file, NodeConfiguration.ProcessEnvironment());
        _ = Check(file, workingDirectory);
        if (!IsNode(tree))
        {
            return ConfigRenderer.Render(tree);
        }

        ConfigObject node = NodeConfiguration.LoadTree([file], null, NodeConfiguration.ProcessEnvironment());
        return ConfigRenderer.Render(Beside(node, AkkaSection.Derive(NodeConfiguration.ToModel(node))));
    }

    private static bool IsScript(string file)
    {
        Span<byte> start = stackalloc byte[2];
        if (!File.Exists(file))
        {
            return false;
        }

        using FileStream stream = File.OpenRead(file);
        return stream.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start.SequenceEqual("#!"u8)
            || Path.GetExtension(file) is ".py" or ".sh";
    }

    /// <summary>What is derived for Akka.NET takes the place of what the user wrote of it, which it contains.</summary>
    private static ConfigObject Beside(ConfigObject node, ConfigObject derived) =>
        node with
        {
            Fields = [.. node.Fields.Where(field => !Has(derived, field.Key)), .. derived.Fields],
        };

    /// <summary>A file that only tunes Akka.NET is a node's as well.</summary>
    private static bool IsNode(ConfigObject tree) => Has(tree, NodeKey) || Has(tree, AkkaKey);

    private static bool Has(ConfigObject tree, string key) => tree.Fields.Any(field => field.Key == key);

    private static ConfigException Neither(ConfigObject tree)
    {
        string? near =
            NearestName.Find(TaskKey, tree.Fields.Select(field => field.Key))
            ?? NearestName.Find(NodeKey, tree.Fields.Select(field => field.Key));
        return new ConfigException(
            tree.Origin,
            "there is neither task { … } nor actortrainer { … } here; begin with one of them."
                + (near is null ? "" : $" Is {near} meant to be it?")
        );
    }

    private static ConfigObject Layer(Flag flag)
    {
        ConfigOrigin origin = new($"flag {flag.Option}", 0, 0);
        string[] path = flag.Key.Split('.');
        ConfigNode value = flag.Value.TrimStart() is ['[' or '{', ..]
            ? HoconReader.ReadText($"value = {flag.Value}", origin.Source).Fields[0].Value
            : new ConfigScalar(origin, flag.Value, Quoted: false);
        foreach (string key in (path[0] == TaskKey ? path : [TaskKey, .. path]).Reverse())
        {
            value = new ConfigObject(origin, [new(key, value)]);
        }

        return (ConfigObject)value;
    }
}
