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
}
