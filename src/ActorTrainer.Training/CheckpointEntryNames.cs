using System.Diagnostics.CodeAnalysis;

namespace ActorTrainer.Training;

/// <summary>A checkpoint's entry cannot be written or read; the message names the entry and says why.</summary>
/// <param name="entry">The entry's name.</param>
/// <param name="problem">What is wrong, as the end of a sentence that starts with the entry.</param>
/// <param name="inner">The cause, or null.</param>
public sealed class CheckpointEntryException(string entry, string problem, Exception? inner = null)
    : Exception($"checkpoint entry '{entry}' {problem}", inner)
{
    /// <summary>The entry's name.</summary>
    public string Entry { get; } = entry;
}

/// <summary>
/// Names of entries and where they are stored: tensors together in one safetensors file, a JSON value or bytes in a file of their own.
/// </summary>
internal static class CheckpointEntryNames
{
    public const string TensorFile = "state.safetensors";
    public const string JsonSuffix = ".json";
    public const string BytesSuffix = ".bin";
    public const int MaxLength = 200;

    /// <summary>Whether it is a name.</summary>
    public static bool IsValid(string name)
    {
        try
        {
            Validate(name);
            return true;
        }
        catch (CheckpointEntryException)
        {
            return false;
        }
    }

    /// <summary>Checks a name: parts of letters, digits, '.', '_' and '-', joined by '/'.</summary>
    public static void Validate([NotNull] string? name)
    {
        if (string.IsNullOrEmpty(name) || name.Length > MaxLength)
        {
            throw new CheckpointEntryException(name ?? "", $"has no usable name: use 1 to {MaxLength} characters.");
        }

        bool atStart = true;
        foreach (char c in name)
        {
            if (c == '/' ? atStart : !(char.IsAsciiLetterOrDigit(c) || c is '_' or '-' || (c == '.' && !atStart)))
            {
                throw new CheckpointEntryException(
                    name,
                    "has no usable name: use letters, digits, '.', '_' and '-', with '/' between parts; "
                        + "no part is empty or starts with '.'."
                );
            }

            atStart = c == '/';
        }

        if (atStart)
        {
            throw new CheckpointEntryException(name, "has no usable name: it ends with '/'.");
        }
    }
}
