using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>
/// The unpacked bytes of an archive of a stranger on their way to the reader of it: no more than a limit, and no header that would be read
/// into memory whole.
/// </summary>
/// <param name="inner">The unpacked bytes.</param>
/// <param name="limit">How many of them.</param>
/// <param name="large">Whether a record may say the size of the next entry, as those of more than 8 GiB have it.</param>
internal sealed partial class TarGuard(Stream inner, long limit, bool large = false) : Stream
{
    private const int Block = 512;
    private const int SizeAt = 124;
    private const int SizeLength = 12;
    private const int TypeAt = 156;
    private const long LargestHeader = 64 * 1024;

    private readonly byte[] _header = new byte[Block];
    private StringBuilder? _records;
    private long? _ownSize;
    private int _filled;
    private long _skip;
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public static BundleException TooLarge(long limit) =>
        new($"The archive unpacks to more than {SizeText.Of(limit)}.") { TooLarge = true };

    public override int Read(Span<byte> buffer) => Pass(buffer, inner.Read(buffer));

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        return Pass(buffer.Span, read);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Pass(ReadOnlySpan<byte> buffer, int read)
    {
        _read += read;
        if (_read > limit)
        {
            throw TooLarge(limit);
        }

        ReadOnlySpan<byte> bytes = buffer[..read];
        while (bytes.Length > 0)
        {
            int taken;
            if (_skip > 0)
            {
                taken = (int)Math.Min(_skip, bytes.Length);
                _skip -= taken;
                LookAtRecords(bytes[..taken]);
            }
            else
            {
                taken = Math.Min(Block - _filled, bytes.Length);
                bytes[..taken].CopyTo(_header.AsSpan(_filled));
                _filled += taken;
                if (_filled == Block)
                {
                    _filled = 0;
                    Look();
                }
            }

            bytes = bytes[taken..];
        }

        return read;
    }

    /// <summary>Looks at a whole header. Zeros are the end; what follows is not looked at by the reader either.</summary>
    private void Look()
    {
        string digits = Encoding.ASCII.GetString(_header, SizeAt, SizeLength).Trim('\0', ' ');
        long size = 0;
        if (digits.Length > 0 && !TryOctal(digits, out size))
        {
            throw new BundleException("The archive has an entry whose size is not a number.");
        }

        // x, g: records of pax; L, K: long names of GNU.
        bool isHeader = _header[TypeAt] is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K';
        if (isHeader && size > LargestHeader)
        {
            throw new BundleException(string.Create(CultureInfo.InvariantCulture, $"The archive has a header of {size} bytes."));
        }

        _records = isHeader ? new StringBuilder() : null;
        if (_ownSize is { } own && !isHeader)
        {
            (size, _ownSize) = (own, null);
        }

        _skip = (size + Block - 1) / Block * Block;
    }

    /// <summary>A record may give the next entry another size than its header: what follows could not be told apart any more.</summary>
    private void LookAtRecords(ReadOnlySpan<byte> bytes)
    {
        if (_records is null)
        {
            return;
        }

        _records.Append(Encoding.Latin1.GetString(bytes));
        if (_skip > 0 || OwnSize().Match(_records.ToString()) is not { Success: true } size)
        {
            return;
        }

        bool isOfTheNext = large && _header[TypeAt] == (byte)'x' && _ownSize is null && !size.NextMatch().Success;
        _ownSize =
            isOfTheNext
            && long.TryParse(size.Groups["size"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out long own)
            && own <= long.MaxValue - Block
                ? own
                : throw new BundleException("The archive has an entry with two sizes.");
    }

    [GeneratedRegex(@"(?:^|\n)\d+ size=(?<size>\d*)", RegexOptions.CultureInvariant)]
    private static partial Regex OwnSize();

    private static bool TryOctal(string digits, out long value)
    {
        value = 0;
        foreach (char c in digits)
        {
            if (c is < '0' or > '7')
            {
                return false;
            }

            value = (value * 8) + (c - '0');
        }

        return true;
    }
}
