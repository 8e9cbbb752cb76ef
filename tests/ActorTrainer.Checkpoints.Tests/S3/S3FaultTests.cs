using System.Globalization;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.S3;

/// <summary>
/// Whatever a network and a service do to requests: what was committed is restored bit for bit or the store is said to be away, and the
/// next save works.
/// </summary>
[Collection(S3Tests.Name)]
[Trait("Requires", "s3")]
[Trait("Lane", "Slow")]
public sealed class S3FaultTests(S3Server server, ITestOutputHelper output) : IAsyncDisposable
{
    private const int PartSize = 8 << 10;

    private readonly SaveFixture _fixture = new();
    private readonly FaultyProxy _proxy = new(server.Port);
    private readonly string _bucket = server.NewBucket();

    public static TheoryData<string> Faults =>
        [nameof(Fault.InternalError), nameof(Fault.SlowDown), nameof(Fault.ResetBefore), nameof(Fault.ResetAfter), nameof(Fault.Truncate)];

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _fixture.Dispose();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task SaveAndRestore_EveryThirdRequestFails_GoWell(string fault)
    {
        int count = 0;
        _proxy.Choose = _ => Interlocked.Increment(ref count) % 3 == 0 ? Enum.Parse<Fault>(fault) : Fault.None;
        using S3Store store = Open(TimeSpan.FromSeconds(20));
        byte[] state = _fixture.Noise(6 * PartSize);
        _fixture.Write(("state", state), ("small", [1, 2, 3]));
        CheckpointRef first = await _fixture.SaveAsync(store);
        state[PartSize] ^= 1;
        _fixture.Write(("state", state), ("small", [1, 2, 3]));
        CheckpointRef second = await _fixture.SaveAsync(store, first);

        await ShouldRestore(store, second, state);
        second.Packs.Count.ShouldBe(2);
        count.ShouldBeGreaterThan(10);
        await store.UnlinkAsync(_fixture.Task, [CheckpointNames.ManifestFile(first.Name)], CancellationToken.None);
        (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBe([
            CheckpointNames.ManifestFile(second.Name),
            .. second.Packs.Order(StringComparer.Ordinal),
        ]);
    }

    /// <summary>The way to the service breaks at each request of a save in turn, and stays broken until the save has ended.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Save_BreaksAtAnyRequest_TheOldOneIsWholeAndTheNextSaveWorks(string fault)
    {
        using S3Store store = Open(TimeSpan.FromMilliseconds(60));
        byte[] old = _fixture.Noise(4 * PartSize);
        _fixture.Write(("state", old));
        CheckpointRef kept = await _fixture.SaveAsync(store);
        int failures = 0;
        bool saved = false;
        for (int good = 0; !saved; good++)
        {
            byte[] state = _fixture.Noise(4 * PartSize);
            _fixture.Write(("state", state));
            int left = good;
            _proxy.Choose = _ => Interlocked.Decrement(ref left) >= 0 ? Fault.None : Enum.Parse<Fault>(fault);
            CheckpointRef? now = null;
            try
            {
                now = await _fixture.SaveAsync(store, kept);
                saved = true;
            }
            catch (CheckpointStoreException e)
            {
                e.IsOfTheState.ShouldBeFalse();
                failures++;
            }

            _proxy.Choose = _ => Fault.None;
            await ShouldRestore(store, kept, old);
            IReadOnlyList<CheckpointRef> named = now is null ? [kept] : [kept, now];
            IReadOnlyList<string> files = await store.ListFilesAsync(_fixture.Task, CancellationToken.None);
            await store.UnlinkAsync(_fixture.Task, RetentionPolicy.PlanGarbage(files, named, term: 2), CancellationToken.None);
            (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).Count.ShouldBe(2 * named.Count);
            CheckpointRef next = await _fixture.SaveAsync(store, [.. named]);
            await ShouldRestore(store, next, state);
            await store.UnlinkAsync(
                _fixture.Task,
                [.. next.Packs.Where(pack => !named.Any(other => other.Packs.Contains(pack))), CheckpointNames.ManifestFile(next.Name)],
                CancellationToken.None
            );
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fault}: {failures} places"));
        failures.ShouldBeGreaterThan(5);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Restore_NeverAnswersWell_IsAwayAndNeverDamaged(string fault)
    {
        using S3Store store = Open(TimeSpan.FromMilliseconds(60));
        byte[] state = _fixture.Noise(4 * PartSize);
        _fixture.Write(("state", state));
        CheckpointRef saved = await _fixture.SaveAsync(store);
        for (int good = 0; good < 4; good++)
        {
            int left = good;
            _proxy.Choose = _ => Interlocked.Decrement(ref left) >= 0 ? Fault.None : Enum.Parse<Fault>(fault);
            await Should.ThrowAsync<CheckpointStoreException>(() =>
                store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None)
            );
            Directory.Exists(_fixture.Folder["restored"]).ShouldBeFalse();
        }

        _proxy.Choose = _ => Fault.None;
        await ShouldRestore(store, saved, state);
    }

    [Fact]
    public async Task ListFiles_Stale_CondemnsNothingThatIsNamed()
    {
        using S3Store store = Open(TimeSpan.FromSeconds(1));
        _fixture.Write(("state", _fixture.Noise(100)));
        CheckpointRef first = await _fixture.SaveAsync(store);
        IReadOnlyList<string> before = await store.ListFilesAsync(_fixture.Task, CancellationToken.None);
        _fixture.Write(("state", _fixture.Noise(200)));
        CheckpointRef second = await _fixture.SaveAsync(store, first);
        _proxy.Choose = request => request.IsListing ? Fault.Stale : Fault.None;

        IReadOnlyList<string> late = await store.ListFilesAsync(_fixture.Task, CancellationToken.None);

        late.ShouldBe(before);
        RetentionPolicy.PlanGarbage(late, [first, second], term: 2).ShouldBeEmpty();
        CheckpointRef third = await _fixture.SaveAsync(store, second, first);
        (await store.VerifyAsync(_fixture.Task, third, CancellationToken.None)).ShouldBePositive();
    }

    private S3Store Open(TimeSpan retryFor)
    {
        CheckpointStoreModel model = server.Model(_bucket, _proxy.Port);
        return new S3Store(model with { S3 = model.S3 with { PartSizeBytes = PartSize, RetryFor = retryFor } }, TimeProvider.System);
    }

    private async Task ShouldRestore(S3Store store, CheckpointRef saved, byte[] state)
    {
        await store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(_fixture.Folder["restored"])["state"].AsSpan().SequenceEqual(state).ShouldBeTrue();
        Directory.Delete(_fixture.Folder["restored"], recursive: true);
    }
}
