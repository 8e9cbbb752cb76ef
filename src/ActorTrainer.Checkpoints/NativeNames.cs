using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Names of files that are not UTF-8. Linux takes any bytes for a name, and .NET takes text. A byte that is no part of UTF-8 stands in the
/// text as a character of its own (U+EE80 to U+EEFF, which are assigned to nobody; where they stand in a name, their own bytes are written
/// so). What comes back from the text is the same bytes.
/// </summary>
internal static class NativeNames
{
    private const char FirstEscape = '\uEE80';
    private const char LastEscape = '\uEEFF';
    private const char Replacement = '\uFFFD';
    private const int FirstByte = 0x80;
    private static readonly SearchValues<char> Doubtful = SearchValues.Create([
        Replacement,
        .. Enumerable.Range(FirstEscape, LastEscape - FirstEscape + 1).Select(c => (char)c),
    ]);

    /// <summary>Whether a path has a byte in it that is no part of UTF-8: .NET's own functions do not find such a file.</summary>
    public static bool IsNative(string path) => path.AsSpan().IndexOfAnyInRange(FirstEscape, LastEscape) >= 0;

    /// <summary>Whether a name that .NET read may stand for other bytes than its own: they have to be read as bytes.</summary>
    public static bool MayBeNative(string name) => name.AsSpan().ContainsAny(Doubtful);

    /// <summary>A name, of its bytes.</summary>
    public static string FromBytes(ReadOnlySpan<byte> name)
    {
        if (Utf8.IsValid(name) && Encoding.UTF8.GetString(name) is var text && !IsNative(text))
        {
            return text;
        }

        StringBuilder escaped = new(name.Length);
        while (!name.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(name, out Rune rune, out int length);
            if (status == OperationStatus.Done && rune.Value is < FirstEscape or > LastEscape)
            {
                _ = escaped.Append(rune.ToString());
            }
            else
            {
                foreach (byte b in name[..length])
                {
                    _ = escaped.Append((char)(FirstEscape + b - FirstByte));
                }
            }

            name = name[length..];
        }

        return escaped.ToString();
    }

    /// <summary>The bytes of a path, without an end.</summary>
    public static byte[] ToBytes(string path)
    {
        if (!IsNative(path))
        {
            return Encoding.UTF8.GetBytes(path);
        }

        List<byte> bytes = new(path.Length);
        Span<byte> buffer = stackalloc byte[4];
        foreach (Rune rune in path.EnumerateRunes())
        {
            if (rune.Value is >= FirstEscape and <= LastEscape)
            {
                bytes.Add((byte)(rune.Value - FirstEscape + FirstByte));
            }
            else
            {
                bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
            }
        }

        return [.. bytes];
    }

    /// <summary>A path as people can read it: a byte that is no part of UTF-8 is shown as <c>\xE9</c>.</summary>
    public static string Shown(string path) =>
        !IsNative(path)
            ? path
            : string.Concat(
                path.Select(c => c is >= FirstEscape and <= LastEscape ? $"\\x{c - FirstEscape + FirstByte:X2}" : c.ToString())
            );
}
