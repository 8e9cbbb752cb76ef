using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>What a command finds in a working directory of its own: bundle, links, state.</content>
public static partial class TaskSpecReader
{
    private static readonly Bounds<long> BundleLimit = new(1, BundleSpec.MaxBytes);

    /// <summary>One link as it is written: <c>name</c> or <c>name=/full/path</c>.</summary>
    /// <param name="text">What is written.</param>
    /// <param name="resolve">Makes of a name the full path of the entry of that name where the task is submitted.</param>
    /// <param name="problem">What is wrong, as the end of a sentence that begins with the text; empty: nothing.</param>
    /// <returns>The link's name and where it leads.</returns>
    public static (string Name, string Target) ReadLink(string text, Func<string, string> resolve, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(resolve);
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? text : text[..equals];
        string target =
            equals >= 0 ? text[(equals + 1)..]
            : TaskSpecRules.StateProblem(name) is null ? resolve(name)
            : "/?";
        problem = TaskSpecRules.LinkProblem(name, target) ?? "";
        return (name, target);
    }

    /// <summary>How large a bundle may be, from what a user wrote.</summary>
    /// <param name="text">A number and a unit; null: the default, <see cref="BundleSpec.DefaultLimitBytes"/>.</param>
    /// <param name="bytes">The limit, in bytes.</param>
    /// <param name="problem">What is wrong, as the end of a sentence; empty: nothing.</param>
    public static bool TryReadBundleLimit(string? text, out long bytes, out string problem)
    {
        problem = "";
        bytes = BundleSpec.DefaultLimitBytes;
        if (text is null || (Quantities.TryParseSize(text, out bytes, out problem) && bytes >= BundleLimit.Min && bytes <= BundleLimit.Max))
        {
            return true;
        }

        problem =
            problem.Length > 0
                ? problem
                : $"it must be from {Quantities.FormatSize(BundleLimit.Min)} to {Quantities.FormatSize(BundleLimit.Max)}";
        return false;
    }

    private static BundleSource? ReadBundle(ConfigSection task, PathResolver resolvePath)
    {
        string? folder = ReadPath(task, "bundle", resolvePath);
        ConfigScalar? limit = task.Scalar("bundle-limit");
        if (!TryReadBundleLimit(limit?.Text, out long bytes, out string problem))
        {
            throw task.Wrong(limit!, "bundle-limit", problem, limit!.Text);
        }

        return folder is null ? null : new BundleSource(folder, bytes);
    }

    private static SortedDictionary<string, string> ReadLinks(ConfigSection task, string? bundle, PathResolver resolvePath)
    {
        const string key = "links";
        SortedDictionary<string, string> links = new(StringComparer.Ordinal);
        foreach (ConfigScalar item in task.List(key))
        {
            (string name, string target) = ReadLink(
                item.Text!,
                path => resolvePath(bundle is null ? path : $"{bundle}/{path}", item.Origin),
                out string problem
            );
            if (problem.Length > 0)
            {
                throw task.Wrong(item, key, $"has an entry '{name}' that {problem}");
            }

            if (!links.TryAdd(name, target))
            {
                throw task.Wrong(item, key, $"names '{name}' twice; keep one of them");
            }
        }

        return links;
    }

    private static List<string> ReadState(ConfigSection task)
    {
        const string key = "state";
        List<string> patterns = [];
        foreach (ConfigScalar item in task.List(key))
        {
            if (TaskSpecRules.StateProblem(item.Text) is { } problem)
            {
                throw task.Wrong(item, key, $"has a pattern '{item.Text}' that {problem}");
            }

            patterns.Add(item.Text!);
        }

        return patterns;
    }
}
