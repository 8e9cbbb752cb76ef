using ActorTrainer.Training.Worker;

namespace ActorTrainer.Training.Tests;

public sealed class WorkerRehearsalTests
{
    [Fact]
    public async Task RunAsync_WithRoom_TrainsToTheEndAndLeavesNothing()
    {
        using TemporaryFolder folder = new();
        (await WorkerRehearsal.RunAsync(folder.Combine("s"), folder.Combine("rehearsal"), TimeProvider.System)).ShouldBeTrue();
        Directory.GetFileSystemEntries(Path.GetDirectoryName(folder.Combine("s"))!).ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_WithoutRoom_IsPassedOver()
    {
        using TemporaryFolder folder = new();
        await File.WriteAllTextAsync(folder.Combine("rehearsal"), "a file stands where the folder should be");
        (await WorkerRehearsal.RunAsync(folder.Combine("s"), folder.Combine("rehearsal"), TimeProvider.System)).ShouldBeFalse();
    }
}
