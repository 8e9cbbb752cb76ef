using System.Text;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Archive;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class RunArchiveTests : IDisposable
{
    private const long MaxBytes = 64 << 10;
    private static readonly RunKey Run = WorkerHarness.Key();
    private static readonly OutputKey Key = new(Run.Task, Run.Term, Run.Run, new NodeAddress("127.0.0.1", 7401));
    private static readonly DateTimeOffset At = new(2026, 11, 30, 12, 3, 10, TimeSpan.Zero);

    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly RunDirectories _directories;
    private readonly FolderOutputs _outputs;
    private readonly OutputLog _log;
    private RunArchive _archive;

    public RunArchiveTests()
    {
        _directories = new RunDirectories(_folder);
        _directories.Create(Run);
        _outputs = new FolderOutputs(new CheckpointStoreModel { Path = Store });
        _log = new OutputLog(_directories.Of(Run), MaxBytes);
        _archive = new RunArchive(_outputs, Key, MaxBytes);
    }

    private string Store => Path.Combine(_folder, "store");

    public void Dispose()
    {
        _log.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Store_RunPrintsFromTimeToTime_OnePieceGrows()
    {
        Print("one\n");
        StoreNow().ShouldBeFalse();
        Print("two\n");
        StoreNow().ShouldBeFalse();

        _outputs.Find(Key)!.Segments.ShouldBe([new OutputSegment(0, 8, At)]);
        Stored().ShouldBe("one\ntwo\n");
    }

    [Fact]
    public void Store_NothingNew_TouchesNothing()
    {
        StoreNow().ShouldBeFalse();
        Directory.Exists(Store).ShouldBeFalse("a run that printed nothing costs nothing");
        Print("one\n");
        StoreNow();
        Directory.Delete(Store, recursive: true);

        StoreNow().ShouldBeFalse();

        Directory.Exists(Store).ShouldBeFalse();
    }

    [Fact]
    public void Store_Ended_IsCompleteAlsoWhereNothingWasPrinted()
    {
        StoreNow(ended: true).ShouldBeTrue();

        _outputs.Find(Key)!.Total.ShouldBe(0);
    }

    [Fact]
    public void Store_MoreThanIsKept_DropsTheMiddleAndKnowsItsPlace()
    {
        StringBuilder all = new();
        for (int line = 0; line < 30_000; line++)
        {
            string text = $"line {line}\n";
            all.Append(text);
            Print(text);
            if (line % 500 == 0)
            {
                StoreNow();
            }
        }

        StoreNow(ended: true).ShouldBeTrue();

        StoredRun stored = _outputs.Find(Key)!;
        stored.Bytes.ShouldBeLessThanOrEqualTo(MaxBytes);
        stored.Bytes.ShouldBeGreaterThan(MaxBytes / 2);
        stored.Total.ShouldBe(all.Length);
        stored.Segments[0].Start.ShouldBe(0);
        stored.Segments[^1].End.ShouldBe(all.Length);
        foreach (OutputSegment segment in stored.Segments)
        {
            string expected = all.ToString((int)segment.Start, (int)segment.Length);
            Encoding.UTF8.GetString(_outputs.Read(Key, segment)).ShouldBe(expected);
        }
    }

    [Fact]
    public void Store_PrintedFasterThanItIsStored_GoesOnBehindTheGap()
    {
        Print("first\n");
        StoreNow();
        string loud = string.Concat(Enumerable.Repeat("0123456789abcde\n", 10_000));
        Print(loud);
        StoreNow();

        StoredRun stored = _outputs.Find(Key)!;
        stored.Segments[0].ShouldBe(new OutputSegment(0, 6, At));
        stored.Segments[1].Start.ShouldBeGreaterThan(6);
        stored.End.ShouldBe(6 + loud.Length);
    }

    [Fact]
    public void Store_NextLifeOfTheNode_GoesOnWhereTheFormerOneEnded()
    {
        Print("one\n");
        StoreNow();
        Print("two\n");
        _archive = new RunArchive(_outputs, Key, MaxBytes);

        StoreNow(ended: true).ShouldBeTrue();

        Stored().ShouldBe("one\ntwo\n");
        new RunArchive(_outputs, Key, MaxBytes).Store(Files(), At, ended: true, mayCreateStore: false).ShouldBeTrue("it is complete");
    }

    [Fact]
    public void Store_OutputWasRemovedBeforeItWasStored_IsNotComplete()
    {
        Print("one\n");
        StoreNow();
        File.Delete(Files()[0].Path);

        StoreNow(ended: true).ShouldBeFalse();

        _outputs.Find(Key)!.Total.ShouldBeNull();
    }

    [Fact]
    public void Store_StoreIsAway_GoesOnWhenItIsBack()
    {
        Print("one\n");
        Should.Throw<CheckpointStoreException>(() => _archive.Store(Files(), At, ended: true, mayCreateStore: false));

        StoreNow(ended: true).ShouldBeTrue();

        Stored().ShouldBe("one\n");
    }

    private void Print(string text) => _log.Write(Encoding.UTF8.GetBytes(text));

    private bool StoreNow(bool ended = false) => _archive.Store(Files(), At, ended, mayCreateStore: true);

    private IReadOnlyList<PlacedFile> Files() => PlacedFile.Of(_directories.OutputFiles(Run));

    private string Stored() =>
        string.Concat(_outputs.Find(Key)!.Segments.Select(segment => Encoding.UTF8.GetString(_outputs.Read(Key, segment))));
}
