using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Hosting;

/// <summary>The configuration reader.</summary>
internal sealed class ConfigurationFiles : IConfigurationFiles
{
    public NodeModel ReadNode(string? file, IReadOnlyList<Flag> flags) => throw new UsageException("no configuration reader");

    public TaskSpec ReadTask(string file, string workingDirectory, IReadOnlyList<Flag> flags) => throw new UsageException("no configuration reader");

    public string Check(string file, string workingDirectory) => throw new UsageException("no configuration reader");

    public string Render(string file, string workingDirectory) => throw new UsageException("no configuration reader");
}
