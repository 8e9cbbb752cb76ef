using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Peers;

public sealed class PeerBundlesTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PeerRing _ring;
    private readonly FolderBundles _own;
    private readonly PeerBundles _bundles;

    public PeerBundlesTests()
    {
        _ring = new PeerRing(_folder, nodes: 3);
        _own = PeerRing.BundlesOf(_folder["own"]);
        _bundles = Open(_own, copies: 1);
    }

    public async ValueTask DisposeAsync()
    {
        await _ring.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Put_Always_IsAtAsManyOtherNodesAsKeepCheckpoints(int copies)
    {
        string hash = await PutAsync(Open(_own, copies));

        Holders(hash).Length.ShouldBe(copies);
        Holders(hash).ShouldAllBe(node => File.ReadAllBytes(PathOf(node, hash)).SequenceEqual(File.ReadAllBytes(OwnPath(hash))));
    }

    [Fact]
    public async Task Unpack_AtANodeThatHasNone_FetchesAndKeepsIt()
    {
        string hash = await PutAsync(_bundles);
        FolderBundles elsewhere = PeerRing.BundlesOf(_folder["elsewhere"]);
        PeerBundles there = Open(elsewhere, copies: 1);
        (await there.HasAsync(hash, CancellationToken.None)).ShouldBeTrue();
        elsewhere.Has(hash).ShouldBeFalse();

        await there.UnpackAsync(hash, _folder["out"], CancellationToken.None);

        ShouldBeUnpacked();
        elsewhere.Has(hash).ShouldBeTrue();
    }

    [Fact]
    public async Task Unpack_DamagedHere_TakesTheCopyAndMendsItsOwn()
    {
        string hash = await PutAsync(_bundles);
        Flip(OwnPath(hash));

        await _bundles.UnpackAsync(hash, _folder["out"], CancellationToken.None);

        ShouldBeUnpacked();
        await _own.UnpackAsync(hash, _folder["mended"], CancellationToken.None);
    }

    [Fact]
    public async Task Unpack_DamagedAtTheFirstHolder_TakesItFromTheNext()
    {
        string hash = await PutAsync(Open(_own, copies: 2));
        File.Delete(OwnPath(hash));
        NodeAddress first = PeerOrder.Of(hash, _ring.Known.Self, _ring.Known.Living)[0];
        Flip(PathOf(first, hash));

        await _bundles.UnpackAsync(hash, _folder["out"], CancellationToken.None);

        ShouldBeUnpacked();
    }

    [Fact]
    public async Task Unpack_DamagedEverywhere_SaysSo()
    {
        string hash = await PutAsync(_bundles);
        Flip(OwnPath(hash));
        Flip(PathOf(Holders(hash).ShouldHaveSingleItem(), hash));

        (
            await Should.ThrowAsync<BundleException>(() => _bundles.UnpackAsync(hash, _folder["out"], CancellationToken.None))
        ).Message.ShouldContain($"Bundle {BundleSpec.Shorten(hash)} is damaged in the store");
    }

    /// <summary>Silence never says that a bundle is missing.</summary>
    [Fact]
    public async Task Unpack_HolderDoesNotAnswerOrMayComeBack_IsNotMissing()
    {
        string hash = await PutAsync(_bundles);
        File.Delete(OwnPath(hash));
        NodeAddress holder = await _ring.StopAsync(Holders(hash).ShouldHaveSingleItem());

        await Should.ThrowAsync<CheckpointStoreException>(() => _bundles.UnpackAsync(hash, _folder["out"], CancellationToken.None));
        _ring.Known.Living.Remove(holder);
        _ring.Known.Missing.Add(holder);
        (
            await Should.ThrowAsync<CheckpointStoreException>(() => _bundles.UnpackAsync(hash, _folder["out"], CancellationToken.None))
        ).Message.ShouldContain($"{holder} is gone only since a short time");
        _ring.Known.Missing.Clear();
        (
            await Should.ThrowAsync<BundleException>(() => _bundles.UnpackAsync(hash, _folder["out"], CancellationToken.None))
        ).Message.ShouldContain("is not in the store any more");
        (await _bundles.HasAsync(hash, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Keep_HolderIsLost_AnotherOneGetsIt()
    {
        string hash = await PutAsync(_bundles);
        NodeAddress lost = await _ring.StopAsync(Holders(hash).ShouldHaveSingleItem());
        _ring.Known.Living.Remove(lost);

        (await _bundles.KeepAsync(hash, CancellationToken.None)).ShouldBeTrue();

        Holders(hash).ShouldHaveSingleItem().ShouldNotBe(lost);
    }

    [Fact]
    public async Task Keep_DamagedHereAndAHolderIsLost_IsFetchedAndHandedOn()
    {
        string hash = await PutAsync(Open(_own, copies: 2));
        NodeAddress lost = await _ring.StopAsync(Holders(hash)[0]);
        _ring.Known.Living.Remove(lost);
        Flip(OwnPath(hash));

        (await Open(_own, copies: 2).KeepAsync(hash, CancellationToken.None)).ShouldBeTrue();

        Holders(hash).Length.ShouldBe(2);
        _ring.Known.Living.ShouldAllBe(node => !_ring.Known.IsPassedOver(node));
        await _own.UnpackAsync(hash, _folder["out"], CancellationToken.None);
        ShouldBeUnpacked();
    }

    [Fact]
    public async Task Keep_NoOtherNode_IsNotEnough()
    {
        _ring.Known.Living.Clear();
        string hash = await PutAsync(_bundles);

        (await _bundles.KeepAsync(hash, CancellationToken.None)).ShouldBeFalse();

        _own.Has(hash).ShouldBeTrue();
    }

    private PeerBundles Open(FolderBundles own, int copies) => new(own, _ring.Caller, _ring.Known, copies);

    private async Task<string> PutAsync(PeerBundles bundles)
    {
        // More than one piece of a transfer.
        byte[] weights = new byte[3 << 20];
        new Random(3).NextBytes(weights);
        DiskFolder.Write(_folder["code"], new Dictionary<string, byte[]> { ["train.py"] = [1, 2, 3], ["weights"] = weights });
        BundleListing listing = BundleListing.Read(new BundleSource(_folder["code"]), new TaskSpec { Name = "a", Command = ["x"] });
        using MemoryStream archive = new();
        await listing.WriteAsync(archive);
        archive.Position = 0;
        (await bundles.PutAsync(listing.Bundle.Hash, archive, CancellationToken.None)).ShouldBe(listing.Bundle);
        return listing.Bundle.Hash;
    }

    private NodeAddress[] Holders(string hash) => [.. _ring.Known.Living.Where(node => File.Exists(PathOf(node, hash)))];

    private string PathOf(NodeAddress node, string hash) => Path.Combine(_ring.FolderOf(node), "bundles", hash + ".tar.gz");

    private string OwnPath(string hash) => Path.Combine(_folder["own"], "bundles", hash + ".tar.gz");

    private static void Flip(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^100_000] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private void ShouldBeUnpacked()
    {
        IReadOnlyDictionary<string, byte[]> found = DiskFolder.Read(_folder["out"]);
        IReadOnlyDictionary<string, byte[]> source = DiskFolder.Read(_folder["code"]);
        found.Keys.ShouldBe(source.Keys, ignoreOrder: true);
        found.ShouldAllBe(file => file.Value.SequenceEqual(source[file.Key]));
    }
}
