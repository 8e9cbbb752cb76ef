using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// Formats that say how long a file of theirs is: one that is shorter was not written to its end, whoever closed it. Sources: APPNOTE.TXT
/// of PKWARE (zip, which <c>torch.save</c> and <c>numpy.savez</c> write), the safetensors format, NEP 1 (npy), the HDF5 file format.
/// </summary>
internal static partial class FileFormats
{
    private const int EndRecordBytes = 22;
    private const int LongestComment = ushort.MaxValue;
    private const int Zip64LocatorBytes = 20;
    private const int LongestHeader = 100_000_000;
    private const int HeadBytes = 64;

    private static ReadOnlySpan<byte> NumpyMagic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Looks at a file.</summary>
    /// <param name="file">Where it is.</param>
    /// <param name="name">What it is called, which tells of one format.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static FileFormat Of(string file, string name)
    {
        using FileStream stream = NativeFiles.OpenRead(file);
        Span<byte> head = stackalloc byte[HeadBytes];
        head = head[..stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)];
        if (head.StartsWith("PK\u0003\u0004"u8))
        {
            return new FileFormat(true, HasDirectory(stream) ? null : "is a zip archive without its end");
        }

        if (name.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            return Of(stream, SafetensorsLength(stream, head), "is a safetensors file without its end");
        }

        if (head.StartsWith(NumpyMagic))
        {
            return Of(stream, NumpyLength(stream, head), "is a numpy array without its end");
        }

        return Hdf5Length(head) is > 0 and long length ? Of(stream, length, "is an HDF5 file without its end") : default;
    }

    private static FileFormat Of(FileStream file, long length, string problem) => new(true, file.Length < length ? problem : null);

    /// <summary>Its last record says where its directory is, and nothing follows but a comment of the length that it says.</summary>
    private static bool HasDirectory(FileStream file)
    {
        byte[] tail = new byte[(int)Math.Min(file.Length, EndRecordBytes + LongestComment + Zip64LocatorBytes)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        for (int at = tail.Length - EndRecordBytes; at >= 0; at--)
        {
            ReadOnlySpan<byte> record = tail.AsSpan(at);
            if (
                record.StartsWith("PK\u0005\u0006"u8)
                && BinaryPrimitives.ReadUInt16LittleEndian(record[20..]) == record.Length - EndRecordBytes
            )
            {
                long size = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
                long offset = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]);
                bool long64 = size == uint.MaxValue || offset == uint.MaxValue;
                return long64
                    ? at >= Zip64LocatorBytes && tail.AsSpan(at - Zip64LocatorBytes).StartsWith("PK\u0006\u0007"u8)
                    : size + offset <= file.Length - tail.Length + at;
            }
        }

        return false;
    }

    /// <summary>Eight bytes with the length of a JSON header, which says where each tensor ends behind it.</summary>
    private static long SafetensorsLength(FileStream file, ReadOnlySpan<byte> head)
    {
        const int lengthBytes = sizeof(ulong);
        ulong length = head.Length < lengthBytes ? ulong.MaxValue : BinaryPrimitives.ReadUInt64LittleEndian(head);
        if (length > LongestHeader || file.Length < lengthBytes + (long)length)
        {
            return long.MaxValue;
        }

        byte[] header = new byte[(int)length];
        file.Position = lengthBytes;
        file.ReadExactly(header);
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            long end = json
                .RootElement.EnumerateObject()
                .Where(tensor => tensor.Value.TryGetProperty("data_offsets", out _))
                .Select(tensor => tensor.Value.GetProperty("data_offsets")[1].GetInt64())
                .DefaultIfEmpty(0)
                .Max();
            return lengthBytes + (long)length + end;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            return long.MaxValue;
        }
    }

    /// <summary>A header in Python's syntax with the type and the shape. 0: an array whose bytes cannot be counted.</summary>
    private static long NumpyLength(FileStream file, ReadOnlySpan<byte> head)
    {
        const int versionAt = 6;
        const int lengthAt = 8;
        if (head.Length < lengthAt + sizeof(uint))
        {
            return long.MaxValue;
        }

        bool wide = head[versionAt] > 1;
        long length = wide
            ? BinaryPrimitives.ReadUInt32LittleEndian(head[lengthAt..])
            : BinaryPrimitives.ReadUInt16LittleEndian(head[lengthAt..]);
        long start = lengthAt + (wide ? sizeof(uint) : sizeof(ushort));
        if (length > LongestHeader || file.Length < start + length)
        {
            return long.MaxValue;
        }

        byte[] header = new byte[(int)length];
        file.Position = start;
        file.ReadExactly(header);
        string text = Encoding.Latin1.GetString(header);
        if (NumpyType().Match(text) is not { Success: true } type || NumpyShape().Match(text) is not { Success: true } shape)
        {
            return 0;
        }

        const string unicode = "U";
        Int128 bytes = Number(type.Groups["size"].Value) * (type.Groups["kind"].Value == unicode ? sizeof(uint) : 1);
        foreach (
            string dimension in shape
                .Groups["shape"]
                .Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        )
        {
            bytes *= Number(dimension);
            if (bytes > long.MaxValue / 2)
            {
                return 0;
            }
        }

        return start + length + (long)bytes;
    }

    /// <summary>0: too large for any file.</summary>
    private static long Number(string digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    /// <summary>Its first block has the address at which the file ends. 0: no HDF5 file.</summary>
    private static long Hdf5Length(ReadOnlySpan<byte> head)
    {
        const int versionAt = 8;
        if (
            !head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A])
            || head.Length < HeadBytes
        )
        {
            return 0;
        }

        (int sizeAt, int endAt) = head[versionAt] switch
        {
            0 => (13, 40),
            1 => (13, 44),
            2 or 3 => (9, 28),
            _ => (0, 0),
        };
        return endAt == 0 || head[sizeAt] != sizeof(ulong) ? 0 : BinaryPrimitives.ReadInt64LittleEndian(head[endAt..]);
    }

    [GeneratedRegex("'descr': '[<>|=](?<kind>[biufcSU])(?<size>[0-9]+)'")]
    private static partial Regex NumpyType();

    [GeneratedRegex(@"'shape': \((?<shape>[0-9, ]*)\)")]
    private static partial Regex NumpyShape();
}

/// <summary>What a file's own format tells.</summary>
/// <param name="IsKnown">Whether it is of a format that tells its length.</param>
/// <param name="Problem">
/// What is missing, as the end of a sentence that begins with the file; null: nothing, or the format does not tell.
/// </param>
internal readonly record struct FileFormat(bool IsKnown, string? Problem);
