using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Training.Tests;

/// <summary>Tensors of every kind, and files that other programs write and read.</summary>
public sealed class TensorKindTests : IDisposable
{
    private static readonly long[][] Shapes =
    [
        [2, 3],
        [7],
        [],
        [0],
        [0, 4],
        [2, 0, 3],
        [1, 1, 1],
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<TensorKind> Kinds => [.. Enum.GetValues<TensorKind>()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ReadTensor_OfEveryKindAndShape_GivesSameBytes(TensorKind kind)
    {
        Write(writer =>
        {
            foreach (long[] shape in Shapes)
            {
                writer.WriteTensor(NameOf(shape), kind, Bytes(kind, shape), shape);
            }
        });

        using CheckpointReader reader = new(_folder.Path);
        foreach (long[] shape in Shapes)
        {
            byte[] expected = Bytes(kind, shape);
            byte[] read = new byte[expected.Length];
            reader.ReadTensor(NameOf(shape), kind, read, shape);
            read.ShouldBe(expected, NameOf(shape));
            reader.ShapeOf(NameOf(shape)).ShouldBe(shape);
            reader.KindOf(NameOf(shape)).ShouldBe(kind);
        }
    }

    [Fact]
    public void ReadTensor_OfEveryTypeOfCSharp_GivesSameValues()
    {
        Half[] halves = [(Half)1.5f, Half.NaN, Half.NegativeZero];
        bool[] truths = [true, false, true];
        Write(writer =>
        {
            writer.WriteTensor("half", halves);
            writer.WriteTensor("int", new[] { int.MinValue, 0, int.MaxValue });
            writer.WriteTensor("short", new[] { short.MinValue, short.MaxValue }, 1, 2);
            writer.WriteTensor("sbyte", new[] { sbyte.MinValue, sbyte.MaxValue });
            writer.WriteTensor("ulong", new[] { ulong.MaxValue });
            writer.WriteTensor("uint", new[] { uint.MaxValue });
            writer.WriteTensor("ushort", new[] { ushort.MaxValue });
            writer.WriteTensor("byte", new[] { byte.MaxValue });
            writer.WriteTensor("bool", truths);
        });

        using CheckpointReader reader = new(_folder.Path);
        Half[] readHalves = new Half[3];
        int[] ints = new int[3];
        short[] shorts = new short[2];
        sbyte[] sbytes = new sbyte[2];
        ulong[] ulongs = new ulong[1];
        uint[] uints = new uint[1];
        ushort[] ushorts = new ushort[1];
        byte[] bytes = new byte[1];
        bool[] readTruths = new bool[3];
        reader.ReadTensor("half", readHalves);
        reader.ReadTensor("int", ints);
        reader.ReadTensor("short", shorts, 1, 2);
        reader.ReadTensor("sbyte", sbytes);
        reader.ReadTensor("ulong", ulongs);
        reader.ReadTensor("uint", uints);
        reader.ReadTensor("ushort", ushorts);
        reader.ReadTensor("byte", bytes);
        reader.ReadTensor("bool", readTruths);

        readHalves.Select(BitConverter.HalfToInt16Bits).ShouldBe(halves.Select(BitConverter.HalfToInt16Bits));
        ints.ShouldBe([int.MinValue, 0, int.MaxValue]);
        shorts.ShouldBe([short.MinValue, short.MaxValue]);
        sbytes.ShouldBe([sbyte.MinValue, sbyte.MaxValue]);
        (ulongs[0], uints[0], ushorts[0], bytes[0]).ShouldBe((ulong.MaxValue, uint.MaxValue, ushort.MaxValue, byte.MaxValue));
        readTruths.ShouldBe(truths);
        reader.TensorNames.Select(reader.KindOf).Order().ShouldBe(Expected());

        static TensorKind[] Expected() =>
            [
                TensorKind.F16,
                TensorKind.I32,
                TensorKind.I16,
                TensorKind.I8,
                TensorKind.U64,
                TensorKind.U32,
                TensorKind.U16,
                TensorKind.U8,
                TensorKind.BOOL,
            ];
    }

    [Fact]
    public void WriteTensor_BytesThatAreNoValues_AreRefused()
    {
        using CheckpointWriter writer = new(_folder.Path);

        Should
            .Throw<CheckpointEntryException>(() => writer.WriteTensor("odd", TensorKind.BF16, new byte[3], [2]))
            .Message.ShouldBe("checkpoint entry 'odd' has 3 bytes of BF16 numbers, but the shape [2] has 2 places.");
        Should
            .Throw<CheckpointEntryException>(() => writer.WriteTensor("none", TensorKind.F32, [], []))
            .Message.ShouldBe("checkpoint entry 'none' has 0 values, but the shape [] has 1 places.");
        Should
            .Throw<CheckpointEntryException>(() => writer.WriteTensor("huge", TensorKind.F32, new byte[4], [long.MaxValue, 8]))
            .Message.ShouldContain("has more places than can be counted");
        Should
            .Throw<CheckpointEntryException>(() => writer.WriteTensor("negative", TensorKind.F32, new byte[4], [-1, -1]))
            .Message.ShouldContain("has a negative length");
    }

    [Fact]
    public void ReadTensor_TruthValueOfAnotherByte_IsRefused()
    {
        Write(writer => writer.WriteTensor("mask", TensorKind.BOOL, [1, 0, 7], [3]));
        using CheckpointReader reader = new(_folder.Path);
        bool[] values = new bool[3];

        Should
            .Throw<CheckpointEntryException>(() => reader.ReadTensor("mask", values))
            .Message.ShouldBe("checkpoint entry 'mask' holds the byte 7 as its value 2, which is neither 0 nor 1.");
        values.ShouldBe([false, false, false]);
    }

    [Fact]
    public void ReadTensor_OfAFileThatPythonWrote_GivesItsValues()
    {
        File.Copy(TensorFile.EveryKind, _folder.Combine("state.safetensors"));
        using CheckpointReader reader = new(_folder.Path);

        foreach (TensorKind kind in Enum.GetValues<TensorKind>())
        {
            string name = $"kinds/{kind}";
            reader.KindOf(name).ShouldBe(kind);
            byte[] read = new byte[6 * TensorKinds.SizeOf(kind)];
            reader.ReadTensor(name, kind, read, 2, 3);
            read.ShouldBe(ZeroToFive(kind), name);
        }

        float[] scalar = new float[1];
        reader.ReadTensor("scalar", scalar);
        (scalar[0], reader.ShapeOf("scalar").Count).ShouldBe((2.5f, 0));
        reader.ShapeOf("empty").ShouldBe([0, 4]);
        reader.ReadTensor("empty", Span<float>.Empty, 0, 4);
        int[] named = new int[1];
        reader.ReadTensor("a name: with spaces, größer", named);
        named.ShouldBe([7]);
        reader.Contains("a name: with spaces, größer").ShouldBeTrue();
        float[] special = new float[4];
        reader.ReadTensor("special", special);
        (float.IsNaN(special[0]), special[1], special[2], BitConverter.SingleToInt32Bits(special[3])).ShouldBe(
            (true, float.PositiveInfinity, float.NegativeInfinity, int.MinValue)
        );
    }

    /// <summary>0, 1, 2, 3, 4, 5 in every kind; truth values: false once, then true.</summary>
    private static byte[] ZeroToFive(TensorKind kind)
    {
        int[] numbers = [0, 1, 2, 3, 4, 5];
        return kind switch
        {
            TensorKind.F64 => [.. numbers.SelectMany(n => BitConverter.GetBytes((double)n))],
            TensorKind.F32 => [.. numbers.SelectMany(n => BitConverter.GetBytes((float)n))],
            TensorKind.F16 => [.. numbers.SelectMany(n => BitConverter.GetBytes((Half)n))],
            TensorKind.BF16 => [.. numbers.SelectMany(n => BitConverter.GetBytes((float)n)[2..])],
            TensorKind.F8_E4M3 => [0x00, 0x38, 0x40, 0x44, 0x48, 0x4A],
            TensorKind.F8_E5M2 => [0x00, 0x3C, 0x40, 0x42, 0x44, 0x45],
            TensorKind.BOOL => [0, 1, 1, 1, 1, 1],
            _ => [.. numbers.SelectMany(n => BitConverter.GetBytes((long)n)[..TensorKinds.SizeOf(kind)])],
        };
    }

    private static byte[] Bytes(TensorKind kind, long[] shape)
    {
        byte[] bytes = new byte[TensorEntry.CountOf(shape) * TensorKinds.SizeOf(kind)];
        new Random(shape.Length + (int)kind).NextBytes(bytes);
        return kind == TensorKind.BOOL ? [.. bytes.Select(b => (byte)(b & 1))] : bytes;
    }

    private static string NameOf(long[] shape) => $"shape-{string.Join('-', shape)}";

    private void Write(Action<CheckpointWriter> write)
    {
        using CheckpointWriter writer = new(_folder.Path);
        write(writer);
        writer.Complete();
    }
}
