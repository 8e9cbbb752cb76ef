namespace ActorTrainer.Checkpoints.Tests;

public sealed class WarmUpTests
{
    [Fact]
    public async Task WarmUp_NewStore_LeavesNothingBehindAndTouchesNoStore()
    {
        using SaveFixture fixture = new();
        FolderStore store = fixture.Open();
        await store.WarmUpAsync(fixture.Folder["data/warm-up"], CancellationToken.None);
        Directory.Exists(fixture.Folder["data/warm-up"]).ShouldBeFalse();
        Directory.Exists(fixture.StoreFolder).ShouldBeFalse();
    }

    [Fact]
    public async Task WarmUp_ScratchFolderThatCannotBeMade_SaysSo()
    {
        using SaveFixture fixture = new();
        await File.WriteAllTextAsync(fixture.Folder["file"], "in the way");
        await Should.ThrowAsync<CheckpointStoreException>(() =>
            fixture.Open().WarmUpAsync(Path.Combine(fixture.Folder["file"], "warm-up"), CancellationToken.None)
        );
    }
}
