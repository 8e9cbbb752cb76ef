using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Core;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Training.Tests;

public sealed class CheckpointEntriesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadTensor_AfterWrite_GivesSameBits()
    {
        float[] floats = [1.5f, float.NaN, -0f, float.Epsilon, float.PositiveInfinity, 3];
        double[] doubles = [Math.PI, double.NegativeZero];
        long[] numbers = [long.MinValue, 0, long.MaxValue];
        Write(writer =>
        {
            writer.WriteTensor("model/w", floats, 2, 3);
            writer.WriteTensor("model/d", doubles);
            writer.WriteTensor("counts", numbers, 3, 1);
        });

        float[] readFloats = new float[6];
        double[] readDoubles = new double[2];
        long[] readNumbers = new long[3];
        using CheckpointReader reader = new(_folder.Path);
        reader.ReadTensor("model/w", readFloats, 2, 3);
        reader.ReadTensor("model/d", readDoubles);
        reader.ReadTensor("counts", readNumbers);

        readFloats.Select(BitConverter.SingleToInt32Bits).ShouldBe(floats.Select(BitConverter.SingleToInt32Bits));
        readDoubles.Select(BitConverter.DoubleToInt64Bits).ShouldBe(doubles.Select(BitConverter.DoubleToInt64Bits));
        readNumbers.ShouldBe(numbers);
        reader.ShapeOf("model/w").ShouldBe([2, 3]);
        reader.TensorNames.ShouldBe(["counts", "model/d", "model/w"]);
    }

    [Fact]
    public void Complete_TensorFile_IsInSafetensorsLayout()
    {
        Write(writer => writer.WriteTensor("w", new float[] { 1, 2 }, 2));

        byte[] file = File.ReadAllBytes(_folder.Combine("state.safetensors"));
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, length));

        header.RootElement.GetProperty("w").GetRawText().ShouldBe("""{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""");
        BinaryPrimitives.ReadSingleLittleEndian(file.AsSpan(8 + length + 4)).ShouldBe(2f);
        file.Length.ShouldBe(8 + length + 8);
    }

    [Fact]
    public void Complete_HeaderLargerThanReserved_MovesData()
    {
        const int Count = 2000;
        Write(writer =>
        {
            for (int i = 0; i < Count; i++)
            {
                writer.WriteTensor($"a-rather-long-name/of-a-tensor/number-{i}", new long[] { i, -i });
            }
        });

        using CheckpointReader reader = new(_folder.Path);
        long[] values = new long[2];
        for (int i = 0; i < Count; i++)
        {
            reader.ReadTensor($"a-rather-long-name/of-a-tensor/number-{i}", values);
            values.ShouldBe([i, -i]);
        }
    }

    [Fact]
    public void ReadJsonAndBytes_AfterWrite_GiveSameValues()
    {
        JsonTypeInfo<TaskProgress> type = CoreJsonContext.Default.TaskProgress;
        TaskProgress progress = new(5, null, 0.5, new Dictionary<string, double> { ["loss"] = 2 });
        Write(writer =>
        {
            writer.WriteJson("data/progress", progress, type);
            writer.WriteBytes("blob", [1, 2, 3]);
            using Stream stream = writer.OpenBytes("stream");
            stream.WriteByte(9);
        });

        using CheckpointReader reader = new(_folder.Path);
        TaskProgress read = reader.ReadJson("data/progress", type);
        (read.Step, read.Epoch, read.Metrics["loss"]).ShouldBe((5, 0.5, 2));
        reader.ReadBytes("blob").ShouldBe([1, 2, 3]);
        using Stream stream = reader.OpenBytes("stream");
        stream.ReadByte().ShouldBe(9);
        reader.Contains("data/progress").ShouldBeTrue();
        reader.Contains("progress").ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("../state")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a/.b")]
    [InlineData("a b")]
    [InlineData("a\\b")]
    public void Write_BadName_IsRefused(string name)
    {
        using CheckpointWriter writer = new(_folder.Path);

        Should.Throw<CheckpointEntryException>(() => writer.WriteBytes(name, [1])).Message.ShouldContain("no usable name");
    }

    [Fact]
    public void Write_NameUsedTwice_IsRefused()
    {
        using CheckpointWriter writer = new(_folder.Path);
        writer.WriteBytes("state", [1]);

        Should
            .Throw<CheckpointEntryException>(() => writer.WriteTensor("State", new float[1]))
            .Message.ShouldContain("was written already");
    }

    [Fact]
    public void WriteTensor_ShapeOfOtherSize_IsRefused()
    {
        using CheckpointWriter writer = new(_folder.Path);

        Should
            .Throw<CheckpointEntryException>(() => writer.WriteTensor("w", new float[5], 2, 3))
            .Message.ShouldBe("checkpoint entry 'w' has 5 values, but the shape [2, 3] has 6 places.");
    }

    [Fact]
    public void Read_WhatDoesNotFit_SaysWhatIsThere()
    {
        Write(writer => writer.WriteTensor("w", new float[6], 2, 3));
        using CheckpointReader reader = new(_folder.Path);

        Should
            .Throw<CheckpointEntryException>(() => reader.ReadTensor("w", new float[5]))
            .Message.ShouldContain("holds 6 values [2, 3], but 5 are read");
        Should
            .Throw<CheckpointEntryException>(() => reader.ReadTensor("w", new float[6], 3, 2))
            .Message.ShouldContain("has the shape [2, 3], but [3, 2] is read");
        Should
            .Throw<CheckpointEntryException>(() => reader.ReadTensor("w", new double[6]))
            .Message.ShouldContain("holds F32 numbers, but F64 is read");
        Should.Throw<CheckpointEntryException>(() => reader.ReadTensor("v", new float[6])).Message.ShouldContain("'v' is missing");
        Should.Throw<CheckpointEntryException>(() => reader.ReadBytes("w")).Message.ShouldContain("was written as another kind of entry");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    public void Open_TruncatedFile_IsRefusedWithItsPath(int length)
    {
        Write(writer => writer.WriteTensor("w", new float[6]));
        string path = _folder.Combine("state.safetensors");
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(length);
        }

        Should.Throw<InvalidDataException>(() => new CheckpointReader(_folder.Path)).Message.ShouldContain(path);
    }

    [Fact]
    public void Open_TensorsCutOff_IsRefused()
    {
        Write(writer => writer.WriteTensor("w", new float[6]));
        string path = _folder.Combine("state.safetensors");
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(file.Length - 1);
        }

        Should.Throw<InvalidDataException>(() => new CheckpointReader(_folder.Path)).Message.ShouldContain("'w'");
    }

    private void Write(Action<CheckpointWriter> write)
    {
        using CheckpointWriter writer = new(_folder.Path);
        write(writer);
        writer.Complete();
    }
}
