using System.Buffers;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Tells texts from other files.</summary>
internal static class TextFiles
{
    private const int LookedAtBytes = 64 << 10;

    /// <summary>Bytes that no text has: control characters but for tab, line and page ends, backspace, bell and escape.</summary>
    private static readonly SearchValues<byte> InNoText = SearchValues.Create([
        .. Enumerable.Range(0, ' ').Select(control => (byte)control).Except("\a\b\t\n\v\f\r\u001B"u8.ToArray()),
    ]);

    /// <summary>Whether a file's first 64 KiB are text, in any encoding that has ASCII.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static bool IsText(string path)
    {
        using FileStream file = NativeFiles.OpenRead(path);
        byte[] head = new byte[LookedAtBytes];
        return !head.AsSpan(0, file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)).ContainsAny(InNoText);
    }

    /// <summary>
    /// Whether a file is a text that begins with all of a former version of it: nothing was done to it but that lines were added.
    /// </summary>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public static bool HasGrown(string path, FileVersion former)
    {
        if (former.Stored is not { } stored || !File.Exists(path) || !IsText(path))
        {
            return false;
        }

        using FileStream before = NativeFiles.OpenRead(stored);
        using FileStream now = NativeFiles.OpenRead(path);
        byte[] expected = new byte[LookedAtBytes];
        byte[] actual = new byte[LookedAtBytes];
        int read;
        while ((read = before.ReadAtLeast(expected, expected.Length, throwOnEndOfStream: false)) > 0)
        {
            if (
                now.ReadAtLeast(actual.AsSpan(0, read), read, throwOnEndOfStream: false) < read
                || !actual.AsSpan(0, read).SequenceEqual(expected.AsSpan(0, read))
            )
            {
                return false;
            }
        }

        return true;
    }
}
