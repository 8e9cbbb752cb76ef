using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class FileFormatsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-formats-").FullName;

    public static TheoryData<string> Whole => ["model.pt", "model.safetensors", "array.npy", "matrix.npy", "words.npy", "old.h5", "new.h5"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Whole))]
    public void CutShort_WholeFile_IsNot(string name) => Problem(name, Bytes(name)).ShouldBeNull();

    [Theory]
    [MemberData(nameof(Whole))]
    public void CutShort_AtAnyLengthPastItsFirstBytes_IsSeen(string name)
    {
        byte[] whole = Bytes(name);
        const int recognised = 64;
        foreach (int length in Enumerable.Range(recognised, whole.Length - recognised))
        {
            Problem(name, whole[..length]).ShouldNotBeNull($"{length} of {whole.Length} bytes");
        }
    }

    [Fact]
    public void CutShort_ZipWithAComment_IsNot()
    {
        byte[] whole = Bytes("model.pt");
        byte[] comment = Encoding.ASCII.GetBytes("trained on digits");
        byte[] commented = [.. whole, .. comment];
        BinaryPrimitives.WriteUInt16LittleEndian(commented.AsSpan(whole.Length - sizeof(ushort)), (ushort)comment.Length);

        Problem("commented.pt", commented).ShouldBeNull();
    }

    [Theory]
    [InlineData("empty.pt")]
    [InlineData("text.txt")]
    [InlineData("objects.npy")]
    public void CutShort_WhatTellsNothing_IsNot(string name)
    {
        byte[] bytes = name switch
        {
            "empty.pt" => [],
            "text.txt" => Encoding.UTF8.GetBytes("epoch 3"),
            _ => Numpy("{'descr': '|O', 'fortran_order': False, 'shape': (1000,), }", 3),
        };

        Problem(name, bytes).ShouldBeNull();
    }

    private string? Problem(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return FileFormats.Of(path, path).Problem;
    }

    private static byte[] Bytes(string name) =>
        name switch
        {
            "model.pt" => Zip(),
            "model.safetensors" => Safetensors(),
            "array.npy" => Numpy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }", 60),
            "matrix.npy" => Numpy("{'descr': '>i8', 'fortran_order': True, 'shape': (7,), }", 56),
            "words.npy" => Numpy("{'descr': '<U3', 'fortran_order': False, 'shape': (4,), }", 48),
            "old.h5" => Hdf5(version: 0, endAt: 40),
            _ => Hdf5(version: 3, endAt: 28),
        };

    private static byte[] Zip()
    {
        using MemoryStream memory = new();
        using (ZipArchive archive = new(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream entry = archive.CreateEntry("archive/data/0", CompressionLevel.NoCompression).Open();
            entry.Write(new byte[500]);
        }

        return memory.ToArray();
    }

    private static byte[] Safetensors()
    {
        byte[] header = Encoding.UTF8.GetBytes(
            """{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[80,88]},"a":{"dtype":"F32","shape":[20],"data_offsets":[0,80]}}"""
        );
        byte[] file = new byte[8 + header.Length + 88];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    private static byte[] Numpy(string header, int data)
    {
        byte[] text = Encoding.ASCII.GetBytes(header.PadRight(117) + "\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text, .. new byte[data]];
    }

    private static byte[] Hdf5(byte version, int endAt)
    {
        byte[] file = new byte[300];
        byte[] signature = [0x89, .. "HDF\r\n"u8, 0x1A, 0x0A];
        signature.CopyTo(file, 0);
        file[8] = version;
        file[version == 0 ? 13 : 9] = 8;
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(endAt), file.Length);
        return file;
    }
}
