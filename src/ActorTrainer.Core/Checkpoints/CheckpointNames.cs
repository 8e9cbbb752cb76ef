using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>
/// Names of checkpoints and of their files in a store, the same for the plans made here and for the stores. A name is
/// <c>c-TERM-STEP-RANDOM</c> and is never used again; a file's name begins with the name of the checkpoint that wrote it, so its term
/// can be read from it.
/// </summary>
public static class CheckpointNames
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 64;

    private const string PackPrefix = "packs/";
    private const string ManifestPrefix = "manifests/";
    private const string RandomAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>Draws a new name: 8 random characters (40 bits) beside term and step.</summary>
    public static string Create(long term, long step, DeterministicRandom random)
    {
        Span<char> suffix = stackalloc char[8];
        ulong bits = random.NextUInt64();
        for (int i = 0; i < suffix.Length; i++)
        {
            suffix[i] = RandomAlphabet[(int)((bits >> (i * 5)) & 31)];
        }

        return string.Create(CultureInfo.InvariantCulture, $"c-{term}-{step}-{suffix}");
    }

    /// <summary>Whether the text is a checkpoint's name; its term is read from it.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out long term)
    {
        term = 0;
        if (name is null || !name.StartsWith("c-", StringComparison.Ordinal) || !TaskId.IsName(name, MaxLength))
        {
            return false;
        }

        string[] parts = name.Split('-');
        return parts.Length == 4 && parts[3].Length > 0 && IsNumber(parts[1], out term) && IsNumber(parts[2], out _);
    }

    /// <summary>The store's name of a checkpoint's manifest, for example <c>manifests/c-3-1200-k3f9a2bc.json</c>.</summary>
    public static string ManifestFile(string checkpoint) => $"{ManifestPrefix}{checkpoint}.json";

    /// <summary>The store's name of the pack that a checkpoint writes, for example <c>packs/c-3-1200-k3f9a2bc.pack</c>.</summary>
    public static string PackFile(string checkpoint) => $"{PackPrefix}{checkpoint}.pack";

    /// <summary>
    /// Whether this is the name of a file that a save may have left in a store (pack, manifest, or an unfinished one); the term of the
    /// save is read from it. False for anything else: such a file is not ours and is never touched.
    /// </summary>
    public static bool TryParseFile([NotNullWhen(true)] string? file, out long term)
    {
        term = 0;
        if (file is null)
        {
            return false;
        }

        int prefix =
            file.StartsWith(PackPrefix, StringComparison.Ordinal) ? PackPrefix.Length
            : file.StartsWith(ManifestPrefix, StringComparison.Ordinal) ? ManifestPrefix.Length
            : -1;
        if (prefix < 0)
        {
            return false;
        }

        string name = file[prefix..];
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && name[dot..] is ".pack" or ".json" or ".json.tmp" && TryParse(name[..dot], out term);
    }

    // Exactly as written by Create: no sign, no leading zero, so that equal numbers have equal names.
    private static bool IsNumber(string text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && (text.Length == 1 || text[0] != '0');
}
