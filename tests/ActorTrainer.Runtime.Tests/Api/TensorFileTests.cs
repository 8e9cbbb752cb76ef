using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>Files of tensors between this product and Python.</summary>
public sealed class TensorFileTests : IDisposable
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

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Requires", "torch")]
    public async Task Complete_TensorsOfEveryKind_AreReadByPython()
    {
        using (CheckpointWriter writer = new(_folder.Root))
        {
            foreach (TensorKind kind in Enum.GetValues<TensorKind>())
            {
                foreach (long[] shape in Shapes)
                {
                    writer.WriteTensor($"{kind}/{NameOf(shape)}", kind, Bytes(kind, shape), shape);
                }
            }

            writer.Complete();
        }

        IReadOnlyList<string> lines = await TensorFile.ReadAsync(_folder["state.safetensors"]);

        IEnumerable<string> expected = Enum.GetValues<TensorKind>()
            .SelectMany(
                kind => Shapes,
                (kind, shape) => $"{kind}/{NameOf(shape)}|{kind}|{string.Join(',', shape)}|{Convert.ToHexStringLower(Bytes(kind, shape))}"
            );
        lines.Select(line => line[..line.LastIndexOf('|')]).ShouldBe(expected, ignoreOrder: true);
    }

    [Fact]
    [Trait("Requires", "torch")]
    public async Task Fixture_IsWhatTheScriptWrites()
    {
        string written = _folder["written.safetensors"];

        await TensorFile.WriteAsync(written);

        (await File.ReadAllBytesAsync(written)).ShouldBe(await File.ReadAllBytesAsync(TensorFile.EveryKind));
    }

    private static byte[] Bytes(TensorKind kind, long[] shape)
    {
        byte[] bytes = new byte[TensorEntry.CountOf(shape) * TensorKinds.SizeOf(kind)];
        new Random(shape.Length + (int)kind).NextBytes(bytes);
        return kind == TensorKind.BOOL ? [.. bytes.Select(b => (byte)(b & 1))] : bytes;
    }

    private static string NameOf(long[] shape) => $"shape-{string.Join('-', shape)}";
}
