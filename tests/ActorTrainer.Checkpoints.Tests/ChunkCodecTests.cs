using System.Buffers.Binary;
using System.IO.Compression;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class ChunkCodecTests
{
    private const int Kinds = 7;

    [Fact]
    public void EncodeDecode_AnyBytes_AreTheSame() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => RoundTrip(bytes, out _)).QuickCheckThrowOnFailure();

    [Fact]
    public void EncodeDecode_SeededKindsAndLengths_AreTheSame() =>
        Prop.ForAll(
                Gen.Choose(0, 70_000).ToArbitrary(),
                Gen.Choose(0, Kinds - 1).ToArbitrary(),
                Gen.Elements(CheckpointCompression.Off, CheckpointCompression.Auto, CheckpointCompression.Max).ToArbitrary(),
                (length, kind, mode) => RoundTrip(Bytes((ulong)((length * 5) + kind), length, kind), out _, mode)
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Encode_Floats_SplitsPlanes()
    {
        RoundTrip(Bytes(1, 1 << 20, 2), out (ChunkCodec Codec, int Stored) result).ShouldBeTrue();
        result.Codec.ShouldBe(ChunkCodec.Planes4);
        result.Stored.ShouldBeLessThan((1 << 20) * 9 / 10);
    }

    [Fact]
    public void Encode_Noise_StaysAsItIs()
    {
        RoundTrip(Bytes(1, 1 << 20, 0), out (ChunkCodec Codec, int Stored) result).ShouldBeTrue();
        result.ShouldBe((ChunkCodec.None, 1 << 20));
    }

    [Fact]
    public void Encode_Text_IsOneFrame()
    {
        RoundTrip(Bytes(1, 1 << 20, 3), out (ChunkCodec Codec, int Stored) result).ShouldBeTrue();
        result.Codec.ShouldBe(ChunkCodec.Zstd);
        result.Stored.ShouldBeLessThan(1 << 19);
    }

    /// <summary>16-bit floats have their exponents in every second byte.</summary>
    [Fact]
    public void Encode_HalfFloats_SplitsIntoTwo()
    {
        RoundTrip(Bytes(1, 1 << 20, 5), out (ChunkCodec Codec, int Stored) result).ShouldBeTrue();
        result.Codec.ShouldBe(ChunkCodec.Planes2);
        result.Stored.ShouldBeLessThan((1 << 20) * 9 / 10);
    }

    /// <summary>32-bit floats that were cut to 16 bits: two planes of zeros cost nothing, one is noise.</summary>
    [Fact]
    public void Encode_FloatsCutTo16Bits_KeepsHalfAtMost()
    {
        RoundTrip(Bytes(1, 1 << 20, 6), out (ChunkCodec Codec, int Stored) result).ShouldBeTrue();
        result.Codec.ShouldBe(ChunkCodec.Planes4);
        result.Stored.ShouldBeLessThan(1 << 19);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public void Encode_Max_IsNoLargerThanAuto(int kind)
    {
        RoundTrip(Bytes(1, 1 << 20, kind), out (ChunkCodec Codec, int Stored) auto).ShouldBeTrue();
        RoundTrip(Bytes(1, 1 << 20, kind), out (ChunkCodec Codec, int Stored) max, CheckpointCompression.Max).ShouldBeTrue();
        max.Stored.ShouldBeLessThanOrEqualTo(auto.Stored);
    }

    [Fact]
    public void Encode_Off_LeavesAllAsItIs()
    {
        RoundTrip(Bytes(1, 1 << 20, 1), out (ChunkCodec Codec, int Stored) result, CheckpointCompression.Off).ShouldBeTrue();
        result.ShouldBe((ChunkCodec.None, 1 << 20));
    }

    /// <summary>What 0.2 wrote is read for ever: one stream, and four planes of which the last is deflated.</summary>
    [Fact]
    public void TryDecode_CodecsOfBefore_AreRead()
    {
        byte[] raw = Bytes(1, 4002, 2);
        byte[] decoded = new byte[raw.Length];
        byte[] stream = Deflate(raw);
        ChunkEncoder.TryDecode(ChunkCodec.Deflate, stream, 0, stream.Length, decoded, new byte[raw.Length]).ShouldBeTrue();
        decoded.ShouldBe(raw);

        byte[][] planes = [.. Enumerable.Range(0, 4).Select(plane => raw[..4000].Where((_, at) => at % 4 == plane).ToArray())];
        byte[] last = Deflate(planes[3]);
        using MemoryStream body = new();
        for (int plane = 0; plane < 4; plane++)
        {
            byte[] length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, plane == 3 ? last.Length : 1000);
            body.WriteByte(plane == 3 ? (byte)1 : (byte)0);
            body.Write(length);
        }

        body.Write([.. planes[0], .. planes[1], .. planes[2], .. last, .. raw[4000..]]);
        byte[] stored = body.ToArray();
        Array.Clear(decoded);
        ChunkEncoder.TryDecode(ChunkCodec.Planes4Deflate, stored, 0, stored.Length, decoded, new byte[raw.Length]).ShouldBeTrue();
        decoded.ShouldBe(raw);
        ChunkEncoder.TryDecode(ChunkCodec.Planes4, stored, 0, stored.Length, decoded, new byte[raw.Length]).ShouldBeFalse();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    public void TryDecode_AnyByteChanged_GivesFalseOrAnswersWithoutThrowing(int kind)
    {
        byte[] raw = Bytes(3, 9001, kind);
        byte[] stored = new byte[raw.Length];
        byte[] scratch = new byte[raw.Length];
        int length = Encode(raw, stored, 0, CheckpointCompression.Auto, out ChunkCodec codec);
        codec.ShouldNotBe(ChunkCodec.None);
        byte[] decoded = new byte[raw.Length];
        int refused = 0;
        for (int i = 0; i < length; i++)
        {
            stored[i] ^= 0xFF;
            refused += ChunkEncoder.TryDecode(codec, stored, 0, length, decoded, scratch) && decoded.AsSpan().SequenceEqual(raw) ? 0 : 1;
            stored[i] ^= 0xFF;
        }

        refused.ShouldBeGreaterThan(length * 9 / 10);
        ChunkEncoder.TryDecode(codec, stored, 0, length / 2, decoded, scratch).ShouldBeFalse();
        ChunkEncoder.TryDecode(codec, stored, 0, length, new byte[raw.Length - 1], scratch).ShouldBeFalse();
    }

    private static int Encode(byte[] raw, byte[] target, int offset, CheckpointCompression mode, out ChunkCodec codec)
    {
        ZstdCoder coder = ZstdCoder.Rent();
        int stored = ChunkEncoder.Encode(
            raw,
            target.AsSpan(offset),
            new byte[raw.Length],
            mode,
            new CompressionPace(TimeProvider.System, threads: 2),
            coder,
            out codec
        );
        ZstdCoder.Return(coder);
        return stored;
    }

    private static bool RoundTrip(
        byte[] raw,
        out (ChunkCodec Codec, int Stored) result,
        CheckpointCompression mode = CheckpointCompression.Auto
    )
    {
        const int offset = 48;
        byte[] target = new byte[raw.Length + offset];
        int stored = Encode(raw, target, offset, mode, out ChunkCodec codec);
        result = (codec, stored);
        byte[] decoded = new byte[raw.Length];
        return stored <= raw.Length
            && (
                codec == ChunkCodec.None
                    ? stored == raw.Length
                    : ChunkEncoder.TryDecode(codec, target, offset, stored, decoded, new byte[raw.Length])
                        && decoded.AsSpan().SequenceEqual(raw)
            );
    }

    private static byte[] Deflate(byte[] raw)
    {
        using MemoryStream stream = new();
        using (DeflateStream deflate = new(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(raw);
        }

        return stream.ToArray();
    }

    private static byte[] Bytes(ulong seed, int length, int kind)
    {
        DeterministicRandom random = new(seed);
        byte[] bytes = new byte[length];
        for (int i = 0; i + 4 <= length; i += 4)
        {
            Span<byte> word = bytes.AsSpan(i, 4);
            switch (kind)
            {
                case 0:
                    BitConverter.TryWriteBytes(word, (uint)random.NextUInt64());
                    break;
                case 1:
                    break;
                case 2:
                    BitConverter.TryWriteBytes(word, (float)((random.NextDouble() - 0.5) * 0.1));
                    break;
                case 3:
                    for (int at = i; at < i + 4; at++)
                    {
                        bytes[at] = "step 12 of 90: the loss is 0.531, the rate 0.01\n"u8[at % 48];
                    }

                    word[0] += (byte)(random.Next(40) / 39);
                    break;
                case 5:
                    BitConverter.TryWriteBytes(word, (Half)((random.NextDouble() - 0.5) * 0.1));
                    BitConverter.TryWriteBytes(word[2..], (Half)((random.NextDouble() - 0.5) * 0.1));
                    break;
                case 6:
                    BitConverter.TryWriteBytes(
                        word,
                        BitConverter.SingleToUInt32Bits((float)((random.NextDouble() - 0.5) * 0.1)) & 0xFFFF0000
                    );
                    break;
                default:
                    BitConverter.TryWriteBytes(word, random.Next(1000));
                    break;
            }
        }

        return bytes;
    }
}
