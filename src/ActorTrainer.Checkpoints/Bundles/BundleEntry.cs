using System.Security.Cryptography;
using System.Text;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>A file or link of a bundle.</summary>
/// <param name="Path">Relative, with <c>/</c>.</param>
/// <param name="Link">Where a symbolic link leads; null for a file.</param>
/// <param name="Executable">Whether its owner may execute the file.</param>
/// <param name="Sha256">Of the file's content, lower-case hexadecimal; empty for a link.</param>
internal readonly record struct BundleEntry(string Path, string? Link, bool Executable, string Sha256);

/// <summary>
/// The hash of a bundle: SHA-256 over the version and, for each entry in the order of its path's UTF-8 bytes, what it is and its path, each
/// ended by a zero byte.
/// </summary>
internal sealed class BundleHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public BundleHash() => Append("actortrainer-bundle 1");

    /// <summary>Takes the next entry.</summary>
    public void Add(BundleEntry entry)
    {
        Append(
            entry.Link is { } link ? $"link {link}"
            : entry.Executable ? $"executable {entry.Sha256}"
            : $"file {entry.Sha256}"
        );
        Append(entry.Path);
    }

    /// <summary>The hash, lower-case hexadecimal.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();

    private void Append(string text)
    {
        _hash.AppendData(Encoding.UTF8.GetBytes(text));
        _hash.AppendData([0]);
    }
}

/// <summary>Orders paths as their UTF-8 bytes are ordered.</summary>
internal sealed class PathOrder : IComparer<string>
{
    public static readonly PathOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> one = x;
        ReadOnlySpan<char> other = y;
        int same = one.CommonPrefixLength(other);
        if (same == one.Length || same == other.Length)
        {
            return one.Length.CompareTo(other.Length);
        }

        // Characters of two UTF-16 units come after all others, which ordinal comparison has the other way round.
        bool pair = char.IsSurrogate(one[same]);
        return pair == char.IsSurrogate(other[same]) ? one[same].CompareTo(other[same])
            : pair ? 1
            : -1;
    }
}
