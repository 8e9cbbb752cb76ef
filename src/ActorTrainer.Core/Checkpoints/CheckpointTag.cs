namespace ActorTrainer.Core.Checkpoints;

/// <summary>A name that a person gives to a checkpoint. Within a task it stands for one checkpoint at a time.</summary>
public static class CheckpointTag
{
    /// <summary>The longest tag, in characters.</summary>
    public const int MaxLength = 63;

    /// <summary>What a tag looks like, as the end of a sentence.</summary>
    public const string Form =
        "use 1 to 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit, and not what is a checkpoint's name";

    /// <summary>
    /// Whether a text is a tag: letters and digits of ASCII, dots, dashes and underscores. A checkpoint's name is none, so that both can
    /// stand at the same place.
    /// </summary>
    public static bool IsValid(string? text) =>
        text is { Length: > 0 and <= MaxLength }
        && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
        && !CheckpointNames.TryParse(text, out _);
}
