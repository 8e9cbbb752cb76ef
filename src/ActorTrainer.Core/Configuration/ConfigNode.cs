namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Where a configuration value stands: file, line and column from 1; or another kind of place ("environment X", "flag --y") with line 0.
/// </summary>
public sealed record ConfigOrigin(string Source, int Line, int Column)
{
    /// <summary>The source name of the defaults that are part of the program.</summary>
    public const string BuiltIn = "reference.conf";

    /// <summary>The absolute folder of the file, against which relative paths in it are resolved; null when this is not a file.</summary>
    public string? Folder { get; init; }

    /// <inheritdoc />
    public override string ToString() => Line > 0 ? FormattableString.Invariant($"{Source}:{Line}:{Column}") : Source;
}

/// <summary>A value that the user wrote, with its place. The tree that the HOCON reader hands to the models.</summary>
public abstract record ConfigNode(ConfigOrigin Origin)
{
    /// <summary>Where its key stands, when it is a field that was read from a text; otherwise null.</summary>
    public ConfigOrigin? KeyOrigin { get; init; }
}

/// <summary>An object; keys in the order written, the last one of the same name has won.</summary>
public sealed record ConfigObject(ConfigOrigin Origin, IReadOnlyList<KeyValuePair<string, ConfigNode>> Fields) : ConfigNode(Origin);

/// <summary>An array.</summary>
public sealed record ConfigArray(ConfigOrigin Origin, IReadOnlyList<ConfigNode> Items) : ConfigNode(Origin);

/// <summary>
/// A string, number, boolean or null, as text. <paramref name="Quoted"/>: it is a string whatever it looks like, by its quotes or because
/// it was joined out of several values.
/// </summary>
public sealed record ConfigScalar(ConfigOrigin Origin, string? Text, bool Quoted) : ConfigNode(Origin);

/// <summary>A mistake in the configuration: where, what, what to do. The message starts with the place.</summary>
public sealed class ConfigException(ConfigOrigin origin, string problem) : Exception($"{origin}: {problem}")
{
    /// <summary>Where it stands.</summary>
    public ConfigOrigin Origin { get; } = origin;

    /// <summary>What is wrong and what to do, without the place.</summary>
    public string Problem { get; } = problem;
}
