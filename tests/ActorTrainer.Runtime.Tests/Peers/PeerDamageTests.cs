using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Peers;

/// <summary>Copies with other bytes than were written.</summary>
public sealed class PeerDamageTests : IDisposable
{
    private static readonly TaskId Task = PeerRing.Task;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The first one that is asked has other bytes, which its length does not show.</summary>
    [Theory]
    [InlineData("flipped")]
    [InlineData("cut")]
    [InlineData("header")]
    public async Task Restore_FirstHolderHasOtherBytes_GoesOnToTheNextAndFetchesWhatIsWhole(string damage)
    {
        await using PeerRing ring = new(_folder, nodes: 3, copies: 2);
        await using TieredStore store = ring.Open(_folder["own"]);
        CheckpointRef saved = await ring.SaveAsync(store);
        await store.DrainAsync(CancellationToken.None);
        NodeAddress[] holders = [.. PeerOrder.Of(Task.Value, ring.Known.Self, ring.Known.Living).Take(2)];
        PeerRing.Damage(
            ring.FolderOf(holders[0]),
            Task,
            saved.Packs[0],
            bytes =>
            {
                bytes[damage == "header" ? 0 : bytes.Length / 2] ^= 1;
                return damage == "cut" ? bytes[..(bytes.Length / 2)] : bytes;
            }
        );

        await using TieredStore other = ring.Open(_folder["elsewhere"]);
        await other.RestoreAsync(Task, saved, _folder["restored"], CancellationToken.None);
        DiskFolder.Read(_folder["restored"])["a"].ShouldBe(DiskFolder.Read(_folder["source"])["a"]);
        await other.DrainAsync(CancellationToken.None);
        FolderStore fetched = new(PeerRing.Model(_folder["elsewhere"]), TimeProvider.System);
        (await fetched.VerifyAsync(Task, saved, CancellationToken.None)).ShouldBePositive();

        // The second one has to be asked before it is said to be damaged.
        ring.Known.Living.Remove(holders[1]);
        ring.Known.Missing.Add(holders[1]);
        await Should.ThrowAsync<CheckpointStoreException>(() => ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
        ring.Known.Missing.Clear();
        await Should.ThrowAsync<CheckpointDamagedException>(() => ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
    }

    [Fact]
    public async Task Restore_OneHolderHasOtherBytesAndOneIsSilent_TakesTheThird()
    {
        await using PeerRing ring = new(_folder, nodes: 3, copies: 3);
        await using TieredStore store = ring.Open(_folder["own"]);
        CheckpointRef saved = await ring.SaveAsync(store);
        await store.DrainAsync(CancellationToken.None);
        IReadOnlyList<NodeAddress> holders = PeerOrder.Of(Task.Value, ring.Known.Self, ring.Known.Living);
        PeerRing.Damage(ring.FolderOf(holders[0]), Task, saved.Packs[0], FlipMiddle);
        string third = ring.FolderOf(holders[2]);
        await ring.StopAsync(holders[1]);

        await using TieredStore other = ring.Open(_folder["elsewhere"]);
        await other.RestoreAsync(Task, saved, _folder["restored"], CancellationToken.None);
        await other.DrainAsync(CancellationToken.None);
        FolderStore fetched = new(PeerRing.Model(_folder["elsewhere"]), TimeProvider.System);
        (await fetched.VerifyAsync(Task, saved, CancellationToken.None)).ShouldBePositive();

        // The silent one may have it whole.
        PeerRing.Damage(third, Task, saved.Packs[0], FlipMiddle);
        await Should.ThrowAsync<CheckpointStoreException>(() => ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
    }

    /// <summary>Other checkpoints may need what stands in it, and nodes that have no such pack have nothing better.</summary>
    [Fact]
    public async Task Mend_PackIsWholeNowhere_StaysAsItIs()
    {
        await using PeerRing ring = new(_folder, nodes: 3);
        await using TieredStore store = ring.Open(_folder["own"]);
        CheckpointRef saved = await ring.SaveAsync(store);
        await store.DrainAsync(CancellationToken.None);
        ring.Damage(Task, saved.Packs[0], FlipMiddle);
        PeerRing.Damage(_folder["own"], Task, saved.Packs[0], FlipMiddle);
        PeerRing.Damage(_folder["own"], Task, CheckpointNames.ManifestFile(saved.Name), _ => null);
        byte[] before = await File.ReadAllBytesAsync(Path.Combine(_folder["own"], Task.Value, saved.Packs[0]));

        (await store.MendAsync(Task, [saved], CancellationToken.None)).ShouldBeEmpty();
        await store.DrainAsync(CancellationToken.None);

        (await File.ReadAllBytesAsync(Path.Combine(_folder["own"], Task.Value, saved.Packs[0]))).ShouldBe(before);
    }

    private static byte[] FlipMiddle(byte[] bytes)
    {
        bytes[bytes.Length / 2] ^= 1;
        return bytes;
    }
}
