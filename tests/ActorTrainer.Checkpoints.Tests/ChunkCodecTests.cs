using ActorTrainer.Core.Identity;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class ChunkCodecTests
{
    [Fact]
    public void EncodeDecode_AnyBytes_AreTheSame() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => RoundTrip(bytes, out _)).QuickCheckThrowOnFailure();

    [Fact]
    public void EncodeDecode_SeededKindsAndLengths_AreTheSame() =>
        Prop.ForAll(
                Gen.Choose(0, 70_000).ToArbitrary(),
                Gen.Choose(0, 4).ToArbitrary(),
                (length, kind) => RoundTrip(Bytes((ulong)((length * 5) + kind), length, kind), out _)
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
    public void Encode_Text_IsDeflated()
    {
        RoundTrip(Bytes(1, 1 << 20, 3), out (ChunkCodec Codec, int Stored) result).ShouldBeTrue();
        result.Codec.ShouldBe(ChunkCodec.Deflate);
        result.Stored.ShouldBeLessThan(1 << 19);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void TryDecode_AnyByteChanged_GivesFalseOrAnswersWithoutThrowing(int kind)
    {
        byte[] raw = Bytes(3, 9000, kind);
        byte[] stored = new byte[raw.Length];
        byte[] scratch = new byte[raw.Length];
        int length = ChunkEncoder.Encode(raw, stored, 0, scratch, out ChunkCodec codec);
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

    private static bool RoundTrip(byte[] raw, out (ChunkCodec Codec, int Stored) result)
    {
        const int offset = 48;
        byte[] target = new byte[raw.Length + offset];
        byte[] scratch = new byte[raw.Length];
        int stored = ChunkEncoder.Encode(raw, target, offset, scratch, out ChunkCodec codec);
        result = (codec, stored);
        byte[] decoded = new byte[raw.Length];
        return stored <= raw.Length
            && (
                codec == ChunkCodec.None
                    ? stored == raw.Length
                    : ChunkEncoder.TryDecode(codec, target, offset, stored, decoded, scratch) && decoded.AsSpan().SequenceEqual(raw)
            );
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
                default:
                    BitConverter.TryWriteBytes(word, random.Next(1000));
                    break;
            }
        }

        return bytes;
    }
}
