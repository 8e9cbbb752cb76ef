using System.Runtime.Versioning;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Checkpoints.Tests.Bundles;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests.S3;

/// <summary>Nodes whose folders are their own, before a real bucket or a folder that they share.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(S3Tests.Name)]
[Trait("Requires", "s3")]
[Trait("Lane", "Slow")]
public sealed class RemoteBundlesTests : IAsyncDisposable
{
    private const int PartSize = 8 << 10;
    private static readonly CancellationToken Never = CancellationToken.None;

    private readonly BundleFolder _folder = new();
    private readonly S3Server _server;
    private readonly FaultyProxy _proxy;
    private readonly string _name;
    private readonly S3Store _bucket;
    private readonly BundleListing _listing;
    private readonly List<TierNotice> _notices = [];

    public RemoteBundlesTests(S3Server server)
    {
        _server = server;
        _proxy = new FaultyProxy(server.Port);
        _name = server.NewBucket();
        CheckpointStoreModel model = server.Model(_name, _proxy.Port);
        _bucket = new S3Store(
            model with
            {
                S3 = model.S3 with { PartSizeBytes = PartSize, RetryFor = TimeSpan.FromMilliseconds(60) },
            },
            TimeProvider.System
        );

        // Three parts and a piece, of bytes that do not shrink.
        byte[] noise = new byte[(3 * PartSize) + 777];
        new Random(4).NextBytes(noise);
        _folder.Write("train.py", "print(1)");
        File.WriteAllBytes(_folder["weights"], noise);
        _listing = _folder.Read();
    }

    private string Hash => _listing.Bundle.Hash;

    public async ValueTask DisposeAsync()
    {
        _bucket.Dispose();
        await _proxy.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unpack_AtANodeThatHasNone_FetchesAndKeepsIt(bool bucket)
    {
        IBundlePlace place = bucket ? _bucket.Bundles : Shared();
        RemoteBundles there = Open("there", place);
        (await there.HasAsync(Hash, Never)).ShouldBeFalse();

        await PutAsync(Open("here", place));

        (await there.HasAsync(Hash, Never)).ShouldBeTrue();
        await ShouldUnpackAsync(there);
        Folder("there").Has(Hash).ShouldBeTrue();
        await ShouldUnpackAsync(Open("there", place: null));
    }

    [Fact]
    public async Task Unpack_DamagedHere_IsFetchedAnew()
    {
        await PutAsync(Open("here", _bucket.Bundles));
        string path = Folder("here").PathOf(Hash);
        byte[] whole = await File.ReadAllBytesAsync(path, Never);
        await File.WriteAllBytesAsync(path, whole[..^100], Never);

        await ShouldUnpackAsync(Open("here", _bucket.Bundles));

        (await File.ReadAllBytesAsync(path, Never)).ShouldBe(whole);
    }

    [Fact]
    public async Task Unpack_DamagedInTheBucket_SaysWhatToRemove()
    {
        await PutAsync(Open("here", _bucket.Bundles));
        Damage(bytes => bytes[..^100]);
        BundleException damaged = await Should.ThrowAsync<BundleException>(() => UnpackAsync(Open("there", _bucket.Bundles)));
        damaged.Message.ShouldContain("is damaged in the store: ");
        damaged.Message.ShouldContain($"Remove s3://{_name}/team/store/bundles/{Hash}.tar.gz and submit the task once more");
        Folder("there").Has(Hash).ShouldBeFalse();
    }

    [Fact]
    public async Task Unpack_RemovedOrTheBucketIsGone_AreToldApart()
    {
        await PutAsync(Open("here", _bucket.Bundles));
        Damage(_ => null);
        BundleException missing = await Should.ThrowAsync<BundleException>(() => UnpackAsync(Open("there", _bucket.Bundles)));
        missing.Message.ShouldContain($"is not in the store any more: there is no s3://{_name}/team/store/bundles/{Hash}.tar.gz");

        _server.Rename(_name, _name + "-away");
        await Should.ThrowAsync<CheckpointStoreException>(() => UnpackAsync(Open("there", _bucket.Bundles)));
        _server.Rename(_name + "-away", _name);

        // Whoever submits the same files again brings it again.
        (await Open("here", _bucket.Bundles).HasAsync(Hash, Never)).ShouldBeFalse();
        await PutAsync(Open("here", _bucket.Bundles));
        await ShouldUnpackAsync(Open("there", _bucket.Bundles));
    }

    /// <summary>The way to the bucket breaks at each request of an upload in turn, and of a fetch.</summary>
    [Fact]
    public async Task PutAndUnpack_BreakAtAnyRequest_AreRefusedAndGoWellTheNextTime()
    {
        (await FailAtEachAsync(() => PutAsync(Open("here", _bucket.Bundles)))).ShouldBeGreaterThan(5);
        (await FailAtEachAsync(() => UnpackAsync(Open("there", _bucket.Bundles)))).ShouldBeGreaterThan(3);
        await ShouldUnpackAsync(Open("there", place: null));
    }

    [Fact]
    public async Task Put_TieredWhileWhatIsBehindIsAway_IsTakenAndCopiedAfterARestart()
    {
        IBundlePlace place = Shared();
        await File.WriteAllTextAsync(_folder.Outside("shared"), "in the way", Never);
        await using (TieredStore store = Tiered("here", place))
        {
            RemoteBundles bundles = Open("here", place, store);
            await PutAsync(bundles);
            store.Backlog.ShouldBe(1);
            store.Waiting.ShouldBeEmpty("no checkpoint waits");
            (await bundles.HasAsync(Hash, Never)).ShouldBeTrue();
            await ShouldUnpackAsync(bundles);
            await Should.ThrowAsync<CheckpointStoreException>(() => UnpackAsync(Open("there", place)));
            await Should.ThrowAsync<CheckpointStoreException>(() => store.DrainAsync(Never));
        }

        File.Delete(_folder.Outside("shared"));
        await using TieredStore next = Tiered("here", place);
        next.Backlog.ShouldBe(1);
        await next.DrainAsync(Never);
        next.Backlog.ShouldBe(0);
        await ShouldUnpackAsync(Open("there", place));
    }

    /// <summary>One of a version before, or whose way there was cut off by the end of its node.</summary>
    [Fact]
    public async Task Has_TieredAndHereAlone_IsAskedForAgainAndCopied()
    {
        IBundlePlace place = Shared();
        await using TieredStore store = Tiered("here", place);
        RemoteBundles bundles = Open("here", place, store);
        using MemoryStream archive = new(await BundleFolder.PackAsync(_listing));
        await Folder("here").PutAsync(Hash, archive, Never);
        (await bundles.HasAsync(Hash, Never)).ShouldBeFalse();

        await PutAsync(bundles);

        (await bundles.HasAsync(Hash, Never)).ShouldBeTrue();
        await ShouldUnpackAsync(Open("there", place));
    }

    [Fact]
    public async Task Put_TieredAndRefusedOrGivenUp_LeavesNothingToBeCopiedOrCopiesIt()
    {
        IBundlePlace place = Shared();
        await using TieredStore store = Tiered("here", place);
        RemoteBundles bundles = Open("here", place, store);
        using MemoryStream wrong = new([1, 2, 3]);
        await Should.ThrowAsync<BundleException>(() => bundles.PutAsync(Hash, wrong, Never));
        store.Backlog.ShouldBe(0);

        // Who sent it is gone when it is here.
        using CancellationTokenSource gone = new();
        using MemoryStream archive = new(await BundleFolder.PackAsync(_listing));
        await store.TakeBundleAsync(Hash, TakeAsync, gone.Token);
        store.Backlog.ShouldBe(1);
        (await bundles.HasAsync(Hash, Never)).ShouldBeTrue();
        await store.DrainAsync(Never);
        await ShouldUnpackAsync(Open("there", place));

        async Task<BundleSpec> TakeAsync()
        {
            BundleSpec taken = await Folder("here").PutAsync(Hash, archive, Never);
            await gone.CancelAsync();
            return taken;
        }
    }

    /// <summary>A folder that was not mounted is not begun anew.</summary>
    [Fact]
    public async Task Put_TieredBeforeAFolderThatIsEmptyNow_IsNotCopiedThere()
    {
        IBundlePlace place = Shared();
        await using TieredStore store = Tiered("here", place);
        RemoteBundles bundles = Open("here", place, store);
        await PutAsync(bundles);
        store.Backlog.ShouldBe(0);
        Directory.Move(_folder.Outside("shared"), _folder.Outside("mounted elsewhere"));

        _folder.Write("train.py", "print(2)");
        BundleListing second = _folder.Read();
        using MemoryStream archive = new(await BundleFolder.PackAsync(second));
        await bundles.PutAsync(second.Bundle.Hash, archive, Never);

        store.Backlog.ShouldBe(1);
        Directory.Exists(_folder.Outside("shared")).ShouldBeFalse();
    }

    [Fact]
    public async Task Drain_BundleWasRemovedMeanwhile_SaysSoAndGoesOn()
    {
        IBundlePlace place = Shared();
        await File.WriteAllTextAsync(_folder.Outside("shared"), "in the way", Never);
        await using TieredStore store = Tiered("here", place);
        await PutAsync(Open("here", place, store));
        File.Delete(Folder("here").PathOf(Hash));
        File.Delete(_folder.Outside("shared"));

        await store.DrainAsync(Never);

        store.Backlog.ShouldBe(0);
        _notices.ShouldHaveSingleItem().Text.ShouldContain("a bundle is not copied: ");
    }

    private FolderBundles Folder(string node) => new(new CheckpointStoreModel { Path = _folder.Outside(node) }, TimeProvider.System);

    private FolderBundlePlace Shared() => new(Folder("shared"));

    private RemoteBundles Open(string node, IBundlePlace? place, TieredStore? store = null)
    {
        IBundlePlace behind = place ?? new FolderBundlePlace(Folder("nothing"));
        return new RemoteBundles(new BundleCopy(Folder(node), behind), store);
    }

    private TieredStore Tiered(string node, IBundlePlace place)
    {
        CheckpointStoreModel model = new() { Path = _folder.Outside(node) };
        TieredStore store = new(
            new FolderStore(model, TimeProvider.System),
            new FolderStore(model with { Path = _folder.Outside("shared") }, TimeProvider.System),
            new BundleCopy(Folder(node), place),
            _folder.Outside("sync"),
            interval: null,
            TimeProvider.System,
            _notices.Add
        );
        store.Load();
        return store;
    }

    private async Task PutAsync(RemoteBundles bundles)
    {
        using MemoryStream archive = new(await BundleFolder.PackAsync(_listing));
        (await bundles.PutAsync(Hash, archive, Never)).ShouldBe(_listing.Bundle);
    }

    private Task UnpackAsync(RemoteBundles bundles)
    {
        if (Directory.Exists(_folder.Target))
        {
            Directory.Delete(_folder.Target, recursive: true);
        }

        return bundles.UnpackAsync(Hash, _folder.Target, Never);
    }

    private async Task ShouldUnpackAsync(RemoteBundles bundles)
    {
        await UnpackAsync(bundles);
        foreach (string file in (string[])["train.py", "weights"])
        {
            byte[] unpacked = await File.ReadAllBytesAsync(Path.Combine(_folder.Target, file), Never);
            byte[] source = await File.ReadAllBytesAsync(_folder[file], Never);
            unpacked.AsSpan().SequenceEqual(source).ShouldBeTrue(file);
        }
    }

    private void Damage(Func<byte[], byte[]?> change) => _server.Damage(_name, $"bundles/{Hash}.tar.gz", change);

    /// <returns>At how many requests it failed before it went well.</returns>
    private async Task<int> FailAtEachAsync(Func<Task> work)
    {
        for (int good = 0; ; good++)
        {
            int left = good;
            _proxy.Choose = _ => Interlocked.Decrement(ref left) >= 0 ? Fault.None : Fault.InternalError;
            try
            {
                await work();
                return good;
            }
            catch (CheckpointStoreException)
            {
                // The next attempt gets one request further.
            }
            finally
            {
                _proxy.Choose = _ => Fault.None;
            }
        }
    }
}
