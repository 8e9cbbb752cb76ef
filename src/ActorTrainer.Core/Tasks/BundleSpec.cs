using System.Text.Json.Serialization;

namespace ActorTrainer.Core.Tasks;

/// <summary>
/// The files that a command brings along: the cluster keeps them under their hash, and each run finds them in its own working directory.
/// </summary>
/// <param name="Hash">SHA-256 of the canonical list of the files, 64 lower-case hexadecimal digits: of paths, executable bits, contents and
/// links, not of times.</param>
/// <param name="Bytes">All files together, unpacked, in bytes; at most <see cref="MaxBytes"/>.</param>
/// <param name="Files">How many files and links; 1 to <see cref="MaxFiles"/>.</param>
public sealed record BundleSpec(string Hash, long Bytes, int Files)
{
    /// <summary>The most that a cluster takes: 1 GiB.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>How many files and links a bundle may have.</summary>
    public const int MaxFiles = 100_000;

    /// <summary>What whoever bundles a folder allows unless told otherwise: 64 MiB.</summary>
    public const long DefaultLimitBytes = 64L << 20;

    /// <summary>The beginning of the hash, as it is shown to people.</summary>
    [JsonIgnore]
    public string ShortHash => Shorten(Hash);

    /// <summary>The first 12 digits of a hash.</summary>
    public static string Shorten(string hash) => hash.Length > 12 ? hash[..12] : hash;

    /// <summary>Whether a text is a bundle's hash.</summary>
    public static bool IsHash(string? text) => text is { Length: 64 } && text.All(c => char.IsAsciiDigit(c) || c is >= 'a' and <= 'f');
}
