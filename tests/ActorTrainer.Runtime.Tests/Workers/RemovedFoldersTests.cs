using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class RemovedFoldersTests : IDisposable
{
    private readonly string _directory = WorkerHarness.NewDirectory();
    private readonly RunDirectories _directories;

    public RemovedFoldersTests() => _directories = new RunDirectories(_directory);

    public void Dispose() => RunDirectories.DeleteFolder(_directory);

    [Fact]
    public async Task Remove_OfManyFiles_ReturnsAtOnceAndDeletesABitAtATime()
    {
        FakeTimeProvider time = new();
        string work = Fill(WorkerHarness.Key(), files: (3 * RemovedFolders.FilesAtATime) + 10);
        RemovedFolders removed = new(_directories.Removed, time);
        await using (removed)
        {
            removed.Start();
            removed.Remove(work);
            Directory.Exists(work).ShouldBeFalse();

            // It rests until the clock goes on, and most of the files are still there.
            await WorkerHarness.UntilAsync(() => Left() == (2 * RemovedFolders.FilesAtATime) + 10, "the first files are deleted");

            await WorkerHarness.UntilAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(10));
                    return Directory.GetFileSystemEntries(_directories.Removed).Length == 0;
                },
                "all files are deleted"
            );
        }
    }

    [Fact]
    public async Task Dispose_InTheMiddle_LeavesTheRestToTheNextStart()
    {
        FakeTimeProvider time = new();
        string work = Fill(WorkerHarness.Key(), files: 2 * RemovedFolders.FilesAtATime);
        await using (RemovedFolders removed = new(_directories.Removed, time))
        {
            removed.Start();
            removed.Remove(work);
            await WorkerHarness.UntilAsync(() => Left() == RemovedFolders.FilesAtATime, "the first files are deleted");
        }

        Left().ShouldBe(RemovedFolders.FilesAtATime);
        await using RemovedFolders next = new(_directories.Removed, TimeProvider.System);
        next.Start();
        await WorkerHarness.UntilAsync(() => Directory.GetFileSystemEntries(_directories.Removed).Length == 0, "the rest is deleted");
    }

    [Fact]
    public async Task Remove_OfAFolderThatCannotBeMoved_DeletesItWhereItIs()
    {
        string work = Fill(WorkerHarness.Key(), files: 3);
        File.WriteAllText(_directories.Removed, "in the way");
        await using RemovedFolders removed = new(_directories.Removed, TimeProvider.System);
        removed.Start();
        removed.Remove(work);
        await WorkerHarness.UntilAsync(() => !Directory.Exists(work), "it is deleted");
    }

    [Fact]
    public async Task Remove_OfAFolderWithLinks_LeavesWhatTheyLeadTo()
    {
        string data = Directory.CreateDirectory(Path.Combine(_directory, "data")).FullName;
        File.WriteAllText(Path.Combine(data, "kept"), "");
        string work = Fill(WorkerHarness.Key(), files: 1);
        _ = Directory.CreateSymbolicLink(Path.Combine(work, "data"), data);
        _ = File.CreateSymbolicLink(Path.Combine(work, "file"), Path.Combine(data, "kept"));
        await using RemovedFolders removed = new(_directories.Removed, TimeProvider.System);
        removed.Start();
        removed.Remove(work);
        await WorkerHarness.UntilAsync(() => Directory.GetFileSystemEntries(_directories.Removed).Length == 0, "it is deleted");
        File.Exists(Path.Combine(data, "kept")).ShouldBeTrue();
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public async Task Start_OfAHostWithFormerRuns_KeepsTheirOutputAndDeletesTheRest()
    {
        RunKey former = WorkerHarness.Key();
        string work = Fill(former, files: 500);
        _directories.MarkStored(former);
        File.WriteAllText(Path.Combine(_directories.Of(former), "output.log"), "said\n");
        string crashed = Directory.CreateDirectory(Path.Combine(_directories.Removed, "left", "below")).FullName;
        File.WriteAllText(Path.Combine(crashed, "f"), "");

        await using WorkerHarness harness = await WorkerHarness.StartAsync(directory: _directory);
        Directory.Exists(work).ShouldBeFalse();
        await WorkerHarness.UntilAsync(() => Directory.GetFileSystemEntries(_directories.Removed).Length == 0, "the files are deleted");
        Directory
            .GetFileSystemEntries(_directories.Of(former))
            .Select(path => Path.GetFileName(path)!)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["output.log", "output.stored"]);
        harness.Host.OutputFiles(former.Task).Count.ShouldBe(1);
        _directories.NotStored().ShouldBeEmpty();
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public async Task Start_OfARun_DeletesTheFilesOfTheOneBeforeInTheBackground()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(directory: _directory);
        _ = await harness.RunAsync("mkdir a; touch a/f g");
        _ = await harness.RunAsync("true", WorkerHarness.Key(2));
        Directory.Exists(_directories.Work(WorkerHarness.Key())).ShouldBeFalse();
        Directory.Exists(_directories.Removed).ShouldBeTrue();
        await WorkerHarness.UntilAsync(() => Directory.GetFileSystemEntries(_directories.Removed).Length == 0, "the files are deleted");
    }

    private string Fill(RunKey run, int files)
    {
        _directories.Create(run);
        string folder = Directory.CreateDirectory(Path.Combine(_directories.Work(run), "many")).FullName;
        for (int i = 0; i < files; i++)
        {
            File.WriteAllText(Path.Combine(folder, $"{i}"), "");
        }

        return _directories.Work(run);
    }

    private int Left() =>
        Directory
            .GetFiles(_directories.Removed, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Length;
}
