using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>How the output of a command is read for its progress.</content>
public static partial class TaskSpecReader
{
    private static ProgressSpec? ReadProgress(ConfigSection section)
    {
        const string key = "pattern";
        bool off = section.Flag("off", false);
        ConfigNode? node = section.Take(key);
        List<string> patterns = [];
        foreach (
            ConfigNode item in node is ConfigArray array ? array.Items
            : node is null ? []
            : [node]
        )
        {
            string pattern = (item as ConfigScalar)?.Text ?? throw section.Wrong(item, key, "must be a text, or a list of texts");
            patterns.Add(TaskSpecRules.PatternProblem(pattern) is { } problem ? throw section.Wrong(item, key, problem, pattern) : pattern);
        }

        ProgressSpec spec = new() { Off = off, Patterns = patterns };
        return TaskSpecRules.ProgressProblem(spec) is { } wrong ? throw section.Wrong($"{section.Path}: {wrong}.")
            : off || patterns.Count > 0 ? spec
            : null;
    }
}
