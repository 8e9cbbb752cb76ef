using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Hosting;

/// <summary>Reads configuration files. Every mistake in one is a <see cref="ConfigException"/>.</summary>
internal interface IConfigurationFiles
{
    /// <summary>A node's configuration from a file (or none), environment and flags, in rising order.</summary>
    NodeModel ReadNode(string? file, IReadOnlyList<KeyValuePair<string, string>> overrides);

    /// <summary>The task that a file describes.</summary>
    TaskSpec ReadTask(string file, IReadOnlyList<KeyValuePair<string, string>> overrides);

    /// <summary>Checks a file; what it is (a node's or a task's), in a word.</summary>
    string Check(string file);

    /// <summary>What a file comes to, with every default, in HOCON.</summary>
    string Render(string file);
}
