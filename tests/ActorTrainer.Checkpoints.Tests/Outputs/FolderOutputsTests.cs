using System.IO.Compression;
using System.Text;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.Outputs;

public sealed class FolderOutputsTests : IDisposable
{
    private static readonly TaskId Task = TaskId.Parse("digits-k3f9");
    private static readonly OutputKey Key = new(Task, 3, 2, new NodeAddress("127.0.0.1", 7401));
    private static readonly DateTimeOffset At = new(2026, 11, 30, 12, 3, 10, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly FolderOutputs _outputs;

    public FolderOutputsTests() => _outputs = new FolderOutputs(new CheckpointStoreModel { Path = Store });

    private string Store => _folder["store"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_Pieces_AreListedByPlaceAndReadBack()
    {
        OutputSegment second = Write(Key, 4, "two\n");
        OutputSegment first = Write(Key, 0, "one\n");

        StoredRun run = _outputs.List(Task).ShouldHaveSingleItem();

        run.Segments.ShouldBe([first, second]);
        run.Total.ShouldBeNull();
        run.At.ShouldBe(At);
        run.Segments.Select(Text).ShouldBe(["one\n", "two\n"]);
        Directory.EnumerateFiles(Store, "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public void Write_LongerPiece_TakesThePlaceOfTheShorterOne()
    {
        OutputSegment shorter = Write(Key, 0, "one\n");
        OutputSegment longer = Write(Key, 0, "one\ntwo\n", replaced: shorter);

        _outputs.Find(Key)!.Segments.ShouldBe([longer]);
        Pieces().Length.ShouldBe(1);
    }

    [Fact]
    public void List_WriterWasCutOffBeforeTheShorterPieceWasRemoved_HasTheLongerOne()
    {
        Write(Key, 0, "one\n");
        OutputSegment longer = Write(Key, 0, "one\ntwo\n");

        _outputs.Find(Key)!.Segments.ShouldBe([longer]);
    }

    [Fact]
    public void Complete_Run_HasItsTotal()
    {
        OutputSegment segment = Write(Key, 0, "one\n");
        _outputs.Complete(Key, 4, [segment], mayCreateStore: false);

        _outputs.Find(Key)!.Total.ShouldBe(4);
    }

    [Fact]
    public void List_OneRunOfTwoNodes_IsTwo()
    {
        OutputKey other = Key with { Node = new NodeAddress("::1", 7402) };
        Write(Key, 0, "of the first\n");
        Write(other, 0, "of the second\n");

        IReadOnlyList<StoredRun> runs = _outputs.List(Task);

        runs.Select(run => run.Key).ShouldBe([Key, other]);
        runs.Select(run => Encoding.UTF8.GetString(_outputs.Read(run.Key, run.Segments[0])))
            .ShouldBe(["of the first\n", "of the second\n"]);
    }

    [Theory]
    [InlineData("cut off")]
    [InlineData("other bytes")]
    [InlineData("empty")]
    [InlineData("longer than its name")]
    public void Read_DamagedPiece_IsNamed(string damage)
    {
        OutputSegment segment = Write(Key, 0, string.Concat(Enumerable.Range(0, 500).Select(line => $"line {line}\n")));
        string path = Pieces().Single();
        byte[] bytes = File.ReadAllBytes(path);
        switch (damage)
        {
            case "cut off":
                bytes = bytes[..^9];
                break;
            case "other bytes":
                bytes[bytes.Length / 2] ^= 1;
                break;
            case "empty":
                bytes = [];
                break;
            default:
                using (MemoryStream longer = new())
                {
                    using (GZipStream packed = new(longer, CompressionLevel.Fastest, leaveOpen: true))
                    {
                        packed.Write(new byte[segment.Length + 1]);
                    }

                    bytes = longer.ToArray();
                }

                break;
        }

        File.WriteAllBytes(path, bytes);

        Should.Throw<CheckpointDamagedException>(() => _outputs.Read(Key, segment)).Message.ShouldContain(path);
    }

    [Fact]
    public void Read_PieceIsGone_SaysWhich()
    {
        OutputSegment segment = Write(Key, 0, "one\n");
        string path = Pieces().Single();
        File.Delete(path);

        Should.Throw<CheckpointStoreException>(() => _outputs.Read(Key, segment)).Message.ShouldContain(path);
    }

    [Fact]
    public void Write_StoreIsNotMounted_DoesNotMakeAnother()
    {
        Should
            .Throw<CheckpointStoreException>(() => Write(Key, 0, "one\n", mayCreateStore: false))
            .Message.ShouldContain("Check that the disk is mounted");
        Directory.Exists(Store).ShouldBeFalse();
        _outputs.IsThere.ShouldBeFalse();
    }

    [Fact]
    public void RemoveTask_LeavesOtherTasks()
    {
        OutputKey other = Key with { Task = TaskId.Parse("letters-a1b2") };
        Write(Key, 0, "one\n");
        Write(other, 0, "two\n");

        _outputs.RemoveTask(Task);
        _outputs.RemoveTask(Task);

        _outputs.List(Task).ShouldBeEmpty();
        _outputs.List(other.Task).ShouldHaveSingleItem();
    }

    [Fact]
    public void List_FilesThatAreNotTheProducts_ArePassedOver()
    {
        OutputSegment segment = Write(Key, 0, "one\n");
        string run = Path.GetDirectoryName(Pieces().Single())!;
        foreach (string name in (string[])["notes.gz", "5-4.gz", "0-99999999.gz", "end-x", "000000000000-000000000004.gz.tmp"])
        {
            File.WriteAllText(Path.Combine(run, name), "?");
        }

        Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(run)!, "3-x-127.0.0.1%3A7401"));

        StoredRun found = _outputs.List(Task).ShouldHaveSingleItem();
        found.Segments.ShouldBe([segment]);
        found.Total.ShouldBeNull();
    }

    private OutputSegment Write(OutputKey key, long start, string text, OutputSegment? replaced = null, bool mayCreateStore = true)
    {
        byte[] content = Encoding.UTF8.GetBytes(text);
        OutputSegment segment = new(start, start + content.Length, At);
        _outputs.Write(key, segment, content, replaced, mayCreateStore);
        return segment;
    }

    private string Text(OutputSegment segment) => Encoding.UTF8.GetString(_outputs.Read(Key, segment));

    private string[] Pieces() => Directory.GetFiles(Store, "*.gz", SearchOption.AllDirectories);
}
