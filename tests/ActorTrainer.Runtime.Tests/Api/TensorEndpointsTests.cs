using System.Net;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>Checkpoints as safetensors files.</summary>
public sealed class TensorEndpointsTests : ApiTests
{
    private const string Name = "c-3-1000-x7q2";
    private const string Path = $"/v1/checkpoints/digits-a/{Name}/safetensors";

    [Fact]
    public async Task Get_StateOfATrainer_IsOneFileWithAlignedTensorsAndTheRestAsMetadata()
    {
        using TemporaryFolder folder = new();
        await SaveAsync(folder, WriteState);

        using HttpResponseMessage response = await Http.GetAsync(Path);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentDisposition!.FileName.ShouldBe($"{Name}.safetensors");
        byte[] file = await response.Content.ReadAsByteArrayAsync();
        file.Length.ShouldBe((int)response.Content.Headers.ContentLength!.Value);
        int length = SafetensorsHeader.LengthOf(file, file.Length);
        SafetensorsHeader header = SafetensorsHeader.Parse(file.AsSpan(8, length), file.Length - 8 - length);
        header
            .Tensors.Select(tensor => (tensor.Name, tensor.Kind))
            .ShouldBe(
                [
                    ("wide", TensorKind.F64),
                    ("w", TensorKind.F32),
                    ("scalar", TensorKind.F32),
                    ("none", TensorKind.F32),
                    ("half", TensorKind.BF16),
                    ("mask", TensorKind.BOOL),
                    ("buffer/raw", TensorKind.U8),
                ],
                "the largest numbers first, as torch wants each at a multiple of its size"
            );
        header.Tensors.ShouldAllBe(tensor => (8 + length + tensor.Offset) % TensorKinds.SizeOf(tensor.Kind) == 0);
        TensorEntry w = header.Tensors.Single(tensor => tensor.Name == "w");
        w.Shape.ShouldBe([2, 3]);
        file.AsSpan(8 + length + (int)w.Offset, 24)
            .ToArray()
            .ShouldBe([.. new float[] { 1, 2, 3, 4, 5, 6 }.SelectMany(BitConverter.GetBytes)]);
        header.Metadata.ShouldBe(
            new Dictionary<string, string>
            {
                ["format"] = "pt",
                ["actortrainer.task"] = "digits-a-k3f9",
                ["actortrainer.checkpoint"] = Name,
                ["actortrainer.step"] = "1000",
                ["actortrainer.epoch"] = "2.5",
                ["actortrainer.bytes"] = "[\"buffer/raw\"]",
                ["actortrainer.json/data/cursor"] = """{"step":7,"name":"größer"}""",
            },
            ignoreOrder: true
        );
    }

    [Fact]
    [Trait("Requires", "torch")]
    public async Task Get_StateOfATrainer_IsReadByPython()
    {
        using TemporaryFolder folder = new();
        await SaveAsync(folder, WriteState);

        await File.WriteAllBytesAsync(folder["x.safetensors"], await Http.GetByteArrayAsync(Path));

        IReadOnlyList<string> lines = await TensorFile.ReadAsync(folder["x.safetensors"]);
        lines.ShouldContain("# actortrainer.step = 1000");
        lines.ShouldContain("w|F32|2,3|0000803f000000400000404000008040" + "0000a0400000c040|aligned");
        lines.ShouldContain("scalar|F32||00002040|aligned");
        lines.ShouldContain("none|F32|0,4||aligned");
        lines.ShouldContain("mask|BOOL|3|010001|aligned");
        lines.ShouldContain("buffer/raw|U8|5|0102030405|aligned");
        lines.ShouldAllBe(line => !line.EndsWith("not aligned"));
    }

    [Theory]
    [InlineData("model.pt", "the checkpoint is not made of tensors: 'model.pt' is no file of a C# trainer's state")]
    [InlineData("data/.hidden.bin", "the checkpoint is not made of tensors: 'data/.hidden.bin' is no file of a C# trainer's state")]
    [InlineData("config.json", "the checkpoint has no tensors: there is no state.safetensors in it")]
    [InlineData("state.safetensors", "1 bytes are no safetensors file: its first eight say how long its header is")]
    public async Task Get_FilesOfACommand_AreRefusedWithTheOtherWay(string file, string why)
    {
        using TemporaryFolder folder = new();
        await SaveAsync(folder, source => DiskFolder.Write(source, new Dictionary<string, byte[]> { [file] = [1] }));

        string kinds = why.EndsWith("trainer's state", StringComparison.Ordinal) ? " (state.safetensors, NAME.json, NAME.bin)" : "";
        await ShouldBeProblemAsync(
            await Http.GetAsync(Path),
            HttpStatusCode.Conflict,
            $"{Name} cannot be a safetensors file: {why}{kinds}",
            $"its files are had with 'actortrainer checkpoints export {Name} DIR'"
        );
    }

    [Theory]
    [InlineData(500_000, true)]
    [InlineData(8 << 20, false)]
    public async Task Get_Damaged_IsAProblemOrBrokenOff(int bytes, bool told)
    {
        using TemporaryFolder folder = new();
        CheckpointRef saved = await SaveAsync(
            folder,
            source =>
            {
                using CheckpointWriter writer = new(source);
                byte[] noise = new byte[bytes];
                new Random(5).NextBytes(noise);
                writer.WriteTensor("w", noise);
                writer.Complete();
            }
        );
        string pack = System.IO.Path.Combine(folder["store"], "digits-a-k3f9", saved.Packs[0]);
        byte[] stored = await File.ReadAllBytesAsync(pack);
        stored[^1000] ^= 1;
        await File.WriteAllBytesAsync(pack, stored);

        using HttpResponseMessage response = await Http.GetAsync(Path, HttpCompletionOption.ResponseHeadersRead);

        response.StatusCode.ShouldBe(told ? HttpStatusCode.Conflict : HttpStatusCode.OK);
        if (!told)
        {
            await Should.ThrowAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync());
        }
    }

    private static void WriteState(string source)
    {
        using CheckpointWriter writer = new(source);
        writer.WriteTensor("mask", new[] { true, false, true });
        writer.WriteTensor("w", new float[] { 1, 2, 3, 4, 5, 6 }, 2, 3);
        writer.WriteTensor("half", TensorKind.BF16, [1, 2, 3, 4, 5, 6], [3]);
        writer.WriteTensor("wide", new[] { Math.PI });
        writer.WriteTensor("scalar", TensorKind.F32, BitConverter.GetBytes(2.5f), []);
        writer.WriteTensor("none", TensorKind.F32, [], [0, 4]);
        writer.WriteBytes("buffer/raw", [1, 2, 3, 4, 5]);
        writer.Complete();
        Directory.CreateDirectory(System.IO.Path.Combine(source, "data"));
        File.WriteAllBytes(System.IO.Path.Combine(source, "data", "cursor.json"), [.. """{"step":7,"name":"größer"}"""u8]);
    }

    private async Task<CheckpointRef> SaveAsync(TemporaryFolder folder, Action<string> write)
    {
        FolderStore store = new(new CheckpointStoreModel { Path = folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);
        Directory.CreateDirectory(folder["source"]);
        write(folder["source"]);
        StagedState state = new("s", 1000, 2.5, "interval", new Dictionary<string, double>());
        CheckpointRef saved = await store.SaveAsync(
            new SaveRequest(SampleCluster.Digits, 3, Name, state, StateSource.OfFolder(folder["source"]), []),
            CancellationToken.None
        );
        Node.Checkpoints.Clear();
        Node.Checkpoints.Add(new CheckpointListing(SampleCluster.Digits, saved, 3, SampleCluster.Now, false));
        Node.OnOpen = name =>
            name == saved.Name ? store.OpenAsync(SampleCluster.Digits, saved, CancellationToken.None).GetAwaiter().GetResult() : null;
        return saved;
    }
}
