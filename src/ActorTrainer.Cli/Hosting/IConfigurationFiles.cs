using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Hosting;

/// <summary>Reads configuration files. Every mistake in one is a <see cref="ConfigException"/>.</summary>
internal interface IConfigurationFiles
{
    /// <summary>A node's configuration: defaults, file, environment and flags, in rising order.</summary>
    NodeModel ReadNode(string? file, IReadOnlyList<Flag> flags);

    /// <summary>The task that a file describes, with flags over it.</summary>
    TaskDraft ReadTask(string file, string workingDirectory, IReadOnlyList<Flag> flags);

    /// <summary>Checks a file; what it is, in a few words.</summary>
    string Check(string file, string workingDirectory);

    /// <summary>What a file comes to, in HOCON.</summary>
    string Render(string file, string workingDirectory);
}

/// <summary>A configuration key given on the command line.</summary>
/// <param name="Key">The key's path.</param>
/// <param name="Value">Its value.</param>
/// <param name="Option">The option that gave it, for messages.</param>
internal sealed record Flag(string Key, string Value, string Option);
