using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>The environment of a task: variables, secrets, and what it needs of its node.</content>
public static partial class TaskSpecReader
{
    private const string EnvironmentKey = "environment";
    private const string VenvKey = "venv";
    private const string RequirementsKey = "requirements";
    private const string SetupKey = "setup";

    private static EnvironmentSection ReadEnvironment(ConfigSection task, PathResolver resolvePath)
    {
        SortedDictionary<string, string> plain = new(StringComparer.Ordinal);
        SortedDictionary<string, string> secrets = new(StringComparer.Ordinal);
        EnvironmentSpec node = new();
        switch (task.Take(EnvironmentKey))
        {
            case null:
                break;
            case ConfigObject variables:
                foreach ((string name, ConfigNode value) in variables.Fields)
                {
                    switch (name)
                    {
                        case VenvKey:
                            node = node with { Venv = ReadVenv(task, value, resolvePath) };
                            break;
                        case RequirementsKey:
                            node = node with { Requirements = ReadText(task, name, value) };
                            break;
                        case SetupKey:
                            node = node with { Setup = ReadText(task, name, value) };
                            break;
                        default:
                            ReadVariable(task, name, value, plain, secrets);
                            break;
                    }
                }

                break;
            case { } other:
                throw task.Wrong(other, EnvironmentKey, "must be an object; write environment { NAME = \"value\" }");
        }

        return new EnvironmentSection(plain, secrets.Count == 0 ? null : secrets, node == new EnvironmentSpec() ? null : node);
    }

    private static void ReadVariable(
        ConfigSection task,
        string name,
        ConfigNode node,
        SortedDictionary<string, string> plain,
        SortedDictionary<string, string> secrets
    )
    {
        if (TaskSpecRules.VariableProblem(name, (node as ConfigScalar)?.Text) is { } wrong)
        {
            throw new ConfigException(node.KeyOrigin ?? node.Origin, $"{task.Path}.{EnvironmentKey}.{name} {wrong}.");
        }

        if (node is ConfigObject { Fields: [{ Key: "secret", Value: ConfigScalar { Text: { } source } place }] })
        {
            secrets[name] = TaskSpecRules.SecretProblem(source) is { } problem
                ? throw new ConfigException(place.Origin, $"{task.Path}.{EnvironmentKey}.{name} {problem}.")
                : source;
            return;
        }

        plain[name] =
            (node as ConfigScalar)?.Text
            ?? throw task.Wrong(
                node,
                $"{EnvironmentKey}.{name}",
                "must be a text; put it in double quotes, or write { secret = \"file:/…\" }"
            );
    }

    private static string? ReadVenv(ConfigSection task, ConfigNode node, PathResolver resolvePath) =>
        ReadText(task, VenvKey, node) is not { } text ? null
        : ConfigPath.IsUsable(text) ? resolvePath(text, node.Origin)
        : throw task.Wrong(node, $"{EnvironmentKey}.{VenvKey}", "is not a path; write the folder that holds bin/python", text);

    /// <summary>A key set to null is left out, as everywhere.</summary>
    private static string? ReadText(ConfigSection task, string key, ConfigNode node) =>
        node is ConfigScalar scalar
            ? scalar.Text
            : throw task.Wrong(node, $"{EnvironmentKey}.{key}", "must be a text; put it in double quotes");

    private readonly record struct EnvironmentSection(
        SortedDictionary<string, string> Variables,
        SortedDictionary<string, string>? Secrets,
        EnvironmentSpec? Node
    );
}
