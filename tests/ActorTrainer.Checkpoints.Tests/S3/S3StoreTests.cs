using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.S3;

[Collection(S3Tests.Name)]
[Trait("Requires", "s3")]
[Trait("Lane", "Slow")]
public sealed class S3StoreTests(S3Server server) : IAsyncDisposable
{
    private const int PartSize = 16 << 10;

    private readonly SaveFixture _fixture = new();
    private readonly FaultyProxy _proxy = new(server.Port);
    private readonly string _bucket = server.NewBucket();

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _fixture.Dispose();
    }

    [Fact]
    public async Task Save_MoreThanAPart_IsUploadedInPartsAndRestored()
    {
        byte[] state = _fixture.Noise((10 * PartSize) + 77);
        _fixture.Write(("state", state));
        using S3Store store = Open();

        CheckpointRef saved = await _fixture.SaveAsync(store);

        string[] asked = [.. _proxy.Requests.Select(request => request.ToString())];
        asked
            .Count(request =>
                request.EndsWith("?uploads", StringComparison.Ordinal) || request.EndsWith("?uploads=", StringComparison.Ordinal)
            )
            .ShouldBe(1);
        asked
            .Count(request =>
                request.StartsWith("PUT", StringComparison.Ordinal) && request.Contains("partNumber=", StringComparison.Ordinal)
            )
            .ShouldBe(11);
        server.OpenUploads(_bucket).ShouldBe(0);
        await ShouldRestore(store, saved, state);
    }

    [Fact]
    public async Task Save_ThatFitsIntoAPart_IsOnePut()
    {
        _fixture.Write(("state", _fixture.Noise(1000)));
        using S3Store store = Open();
        CheckpointRef saved = await _fixture.SaveAsync(store);
        _proxy
            .Requests.Where(request => request.Method is "PUT" or "POST")
            .Select(request => request.Target)
            .ShouldBe([
                $"/{_bucket}/team/store/actortrainer-store.json",
                $"/{_bucket}/team/store/{_fixture.Task}/packs/{saved.Name}.pack",
                $"/{_bucket}/team/store/{_fixture.Task}/manifests/{saved.Name}.json",
            ]);
    }

    [Fact]
    public async Task Save_PartThatCannotBeUploaded_GivesTheUploadUpAndLeavesNothing()
    {
        _fixture.Write(("state", _fixture.Noise(10 * PartSize)));
        using S3Store store = Open();
        _proxy.Choose = request => request.Target.Contains("partNumber=4", StringComparison.Ordinal) ? Fault.InternalError : Fault.None;

        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(store));

        e.Message.ShouldContain("uploading part 4");
        e.Message.ShouldContain($"s3://{_bucket}/team/store");
        _proxy.Requests.ShouldContain(request =>
            request.Method == "DELETE" && request.Target.Contains("uploadId=", StringComparison.Ordinal)
        );
        (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Append_PartsThatAreNotTaken_WaitsInBoundedMemory()
    {
        const int Parts = 200;
        using CancellationTokenSource cancel = new();
        using S3Store store = Open(retryFor: TimeSpan.FromMinutes(5));
        int sent = 0;
        _proxy.Choose = request =>
        {
            if (!request.Target.Contains("partNumber=", StringComparison.Ordinal))
            {
                return Fault.None;
            }

            if (Interlocked.Increment(ref sent) == S3Upload.PartsAtOnce)
            {
                cancel.Cancel();
            }

            return Fault.Hang;
        };
        int appended = 0;
        byte[] part = _fixture.Noise(PartSize);

        await Should.ThrowAsync<OperationCanceledException>(() =>
            Task.Run(() =>
            {
                using IPackSink sink = store.Files.CreatePack(_fixture.Task, "packs/c-1-10-aaaabbbb.pack", Parts * PartSize, cancel.Token);
                for (; appended < Parts; appended++)
                {
                    sink.Append(part);
                }
            })
        );

        // Four on their way and one being filled; one more gets in when a part frees its buffer before the writer hears of the end.
        appended.ShouldBeInRange(S3Upload.PartsAtOnce, S3Upload.PartsAtOnce + 2);
    }

    [Fact]
    public async Task Save_AnswerToTheEndOfTheUploadIsLost_IsNoticedToBeWhole()
    {
        byte[] state = _fixture.Noise(3 * PartSize);
        _fixture.Write(("state", state));
        using S3Store store = Open();
        _proxy.Choose = request =>
            request.Method == "POST" && request.Target.Contains("uploadId=", StringComparison.Ordinal) ? Fault.ResetAfter : Fault.None;

        CheckpointRef saved = await _fixture.SaveAsync(store);

        await ShouldRestore(store, saved, state);
    }

    [Fact]
    public async Task Save_Cancelled_EndsAtOnceAndLeavesNothing()
    {
        _fixture.Write(("state", _fixture.Noise(10 * PartSize)));
        using CancellationTokenSource cancel = new();
        using S3Store store = Open(retryFor: TimeSpan.FromMinutes(5));
        _proxy.Choose = request =>
        {
            if (request.Method == "PUT" && request.Target.Contains("partNumber=", StringComparison.Ordinal))
            {
                cancel.Cancel();
                return Fault.SlowDown;
            }

            return Fault.None;
        };

        await Should.ThrowAsync<OperationCanceledException>(() => store.SaveAsync(_fixture.Request(_fixture.NewName()), cancel.Token));

        _proxy.Choose = _ => Fault.None;
        (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Restore_ManifestMissingWhileTheBucketDoesNotAnswer_IsAwayAndNotDamaged()
    {
        _fixture.Write(("state", _fixture.Noise(1000)));
        using S3Store store = Open();
        CheckpointRef saved = await _fixture.SaveAsync(store);
        server.Damage(_bucket, _fixture.Task, CheckpointNames.ManifestFile(saved.Name), _ => null);
        _proxy.Choose = request => request.Method == "HEAD" ? Fault.InternalError : Fault.None;

        await Should.ThrowAsync<CheckpointStoreException>(() => store.VerifyAsync(_fixture.Task, saved, CancellationToken.None));

        _proxy.Choose = _ => Fault.None;
        await Should.ThrowAsync<CheckpointDamagedException>(() => store.VerifyAsync(_fixture.Task, saved, CancellationToken.None));
    }

    [Fact]
    public async Task Save_NoAnswer_IsAwayInTheTimeConfigured()
    {
        _fixture.Write(("state", _fixture.Noise(1000)));
        using S3Store store = Open();
        _proxy.Choose = _ => Fault.Hang;
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(store));
        e.Message.ShouldContain("request-timeout");
    }

    [Fact]
    public async Task Check_BucketThatAnswers_LeavesNothing()
    {
        using S3Store store = Open();
        await store.CheckAsync(CancellationToken.None);
        _proxy.Requests.Select(request => request.Method).ShouldBe(["PUT", "GET", "DELETE"]);
        server.IsEmpty(_bucket).ShouldBeTrue();
    }

    [Fact]
    public async Task Check_NoSuchBucket_SaysSo()
    {
        CheckpointStoreModel model = server.Model("no-such-bucket");
        using S3Store store = new(model, TimeProvider.System);
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => store.CheckAsync(CancellationToken.None));
        e.Message.ShouldStartWith("The checkpoint store at s3://no-such-bucket/team/store is away: writing actortrainer-check-");
        e.Message.ShouldContain("there is no such bucket");
    }

    [Fact]
    public async Task Check_KeyThatTheServiceDoesNotKnow_SaysThatPermissionIsDeniedAndNotTheSecret()
    {
        string file = _fixture.Folder["credentials"];
        await File.WriteAllTextAsync(file, "[mine]\naws_access_key_id = WRONG\naws_secret_access_key = hush-hush\n");
        CheckpointStoreModel model = server.Model(_bucket);
        using S3Store store = new(model with { S3 = model.S3 with { CredentialsFile = file, Profile = "mine" } }, TimeProvider.System);
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => store.CheckAsync(CancellationToken.None));
        e.Message.ShouldContain("permission denied");
        e.ToString().ShouldNotContain("hush-hush");
    }

    [Fact]
    public void Open_ProfileThatIsNotThere_SaysWhereItLooked()
    {
        CheckpointStoreModel model = server.Model(_bucket);
        CheckpointStoreException e = Should.Throw<CheckpointStoreException>(() =>
            new S3Store(model with { S3 = model.S3 with { Profile = "other" } }, TimeProvider.System).Dispose()
        );
        e.Message.ShouldContain(model.S3.CredentialsFile!);
        e.Message.ShouldContain("'other'");
    }

    private S3Store Open(TimeSpan? retryFor = null)
    {
        CheckpointStoreModel model = server.Model(_bucket, _proxy.Port);
        return new S3Store(
            model with
            {
                S3 = model.S3 with
                {
                    PartSizeBytes = PartSize,
                    RequestTimeout = TimeSpan.FromSeconds(1),
                    RetryFor = retryFor ?? TimeSpan.FromSeconds(1),
                },
            },
            TimeProvider.System
        );
    }

    private async Task ShouldRestore(S3Store store, CheckpointRef saved, byte[] state)
    {
        await store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(_fixture.Folder["restored"])["state"].AsSpan().SequenceEqual(state).ShouldBeTrue();
    }
}
