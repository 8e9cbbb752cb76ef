using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.S3;

[Collection(S3Tests.Name)]
[Trait("Requires", "s3")]
[Trait("Lane", "Slow")]
public sealed class TieredOverS3Tests : IAsyncDisposable
{
    private readonly SaveFixture _fixture = new();
    private readonly FaultyProxy _proxy;
    private readonly S3Store _remote;
    private readonly TieredStore _store;

    public TieredOverS3Tests(S3Server server)
    {
        _proxy = new FaultyProxy(server.Port);
        CheckpointStoreModel model = server.Model(server.NewBucket(), _proxy.Port);
        _remote = new S3Store(
            model with
            {
                S3 = model.S3 with { PartSizeBytes = 8 << 10, RetryFor = TimeSpan.FromMilliseconds(60) },
            },
            TimeProvider.System
        );
        _store = new TieredStore(_fixture.Open(), _remote, _fixture.Folder["sync"], interval: null, TimeProvider.System);
        _store.Load();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _remote.Dispose();
        await _proxy.DisposeAsync();
        _fixture.Dispose();
    }

    /// <summary>The way to the bucket breaks at each request of a copy in turn; no save waits for it, the next attempt goes well.</summary>
    [Theory]
    [InlineData("InternalError")]
    [InlineData("ResetAfter")]
    public async Task Drain_BreaksAtAnyRequest_IsDoneWhenTheBucketIsBack(string fault)
    {
        int failures = 0;
        List<CheckpointRef> saved = [];
        for (bool through = false; !through; )
        {
            int left = failures;
            _proxy.Choose = _ => Interlocked.Decrement(ref left) >= 0 ? Fault.None : Enum.Parse<Fault>(fault);
            byte[] state = _fixture.Noise(6 * SaveFixture.ChunkSize);
            _fixture.Write(("state", state));
            saved.Add(await _fixture.SaveAsync(_store, [.. saved]));
            try
            {
                await _store.DrainAsync(CancellationToken.None);
                through = true;
            }
            catch (CheckpointStoreException)
            {
                failures++;
                _store.Backlog.ShouldBe(1);
            }

            _proxy.Choose = _ => Fault.None;
            await _store.DrainAsync(CancellationToken.None);
            _store.Backlog.ShouldBe(0);
            await _remote.RestoreAsync(_fixture.Task, saved[^1], _fixture.Folder["restored"], CancellationToken.None);
            DiskFolder.Read(_fixture.Folder["restored"])["state"].AsSpan().SequenceEqual(state).ShouldBeTrue();
        }

        failures.ShouldBeGreaterThan(5);
        (await _remote.ListFilesAsync(_fixture.Task, CancellationToken.None)).Count.ShouldBe(2 * saved.Count);
    }

    [Fact]
    public async Task Restore_FolderLost_ComesFromTheBucket()
    {
        byte[] state = _fixture.Noise(6 * SaveFixture.ChunkSize);
        _fixture.Write(("state", state));
        CheckpointRef saved = await _fixture.SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        Directory.Delete(Path.Combine(_fixture.StoreFolder, _fixture.Task.Value), recursive: true);

        await _store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);
        await _store.DrainAsync(CancellationToken.None);

        DiskFolder.Read(_fixture.Folder["restored"])["state"].AsSpan().SequenceEqual(state).ShouldBeTrue();
        (await _fixture.Open().VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
    }
}
