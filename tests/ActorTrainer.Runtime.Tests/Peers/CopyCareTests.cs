using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Peers;

/// <summary>Copies that are made anew after a node was lost, of tasks that have ended: this node sees to them all.</summary>
public sealed class CopyCareTests : IAsyncDisposable
{
    private static readonly TaskId Running = TaskId.Parse("running-b2");
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeNode _node = SampleCluster.Create();
    private readonly List<TierNotice> _notices = [];
    private readonly PeerRing _ring;
    private readonly TieredStore _store;
    private readonly CopyCare _care;

    public CopyCareTests()
    {
        _ring = new PeerRing(_folder, nodes: 1);
        _store = _ring.Open(_folder["own"]);
        _node.Checkpoints.Clear();
        _node.View = new(1, 0, []);
        while (!new[] { PeerRing.Task, Running }.All(IsMine))
        {
            _ring.Known.Self = _ring.Known.Self with { Port = _ring.Known.Self.Port + 1 };
        }

        // Another one was lost this moment, and may have what nobody else has.
        _ring.Known.Missing.Add(new NodeAddress("127.0.0.1", 2));
        PeerBundles bundles = new(PeerRing.BundlesOf(_folder["own"]), _ring.Caller, _ring.Known, copies: 1);
        FolderOwner folder = new(_folder["own"], _ring.Known, _notices.Add);
        _care = new CopyCare(_node, _store, bundles, _ring.Known, folder, copies: 2, _time, _notices.Add);
    }

    public async ValueTask DisposeAsync()
    {
        await _care.DisposeAsync();
        await _store.DisposeAsync();
        await _ring.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>A task that saves every second has removed some of its checkpoints before their turn comes.</summary>
    [Fact]
    public async Task Look_OneIsRemovedAfterItWasListed_TheOthersAreCopied()
    {
        CheckpointRef saved = await SaveWithoutCopyAsync();
        List(Running, Removed(saved));
        List(PeerRing.Task, saved);
        _node.AfterCheckpoints = () => _node.Checkpoints.RemoveAll(listing => listing.Task == Running);

        await MendAsync();

        await ShouldBeCopiedAsync(saved);
        _notices.ShouldBeEmpty();
        int asked = 0;
        _node.AfterCheckpoints = () => asked++;
        _time.Advance(AgainAfter);
        await _care.LookAsync(CancellationToken.None);
        asked.ShouldBe(0, "nothing is left to be mended");
    }

    [Fact]
    public async Task Look_OneIsAtNoNodeThatAnswers_TheOthersAreCopiedAndItIsTriedAgain()
    {
        CheckpointRef saved = await SaveWithoutCopyAsync();
        CheckpointRef away = await SaveWithoutCopyAsync();
        string manifest = Path.Combine(_folder["own"], PeerRing.Task.Value, CheckpointNames.ManifestFile(away.Name));
        File.Move(manifest, _folder["kept"]);
        List(PeerRing.Task, away);
        List(PeerRing.Task, saved);

        await MendAsync();

        await ShouldBeCopiedAsync(saved);
        TierNotice notice = _notices.ShouldHaveSingleItem();
        notice.IsProblem.ShouldBeTrue();
        notice.Text.ShouldContain($"copies of 1 checkpoints could not be made, and are tried again. {away.Name} of {PeerRing.Task}: ");
        notice.Text.ShouldContain("127.0.0.1:2 is gone only since a short time");

        File.Move(_folder["kept"], manifest);
        _time.Advance(AgainAfter);
        await _care.LookAsync(CancellationToken.None);
        await ShouldBeCopiedAsync(away);
        _notices.Count.ShouldBe(2);
        _notices[1].IsProblem.ShouldBeFalse();
    }

    [Fact]
    public async Task Look_ListFailsInAnUnknownWay_IsTriedAgain()
    {
        CheckpointRef saved = await SaveWithoutCopyAsync();
        List(PeerRing.Task, saved);
        _node.AfterCheckpoints = () => throw new InvalidOperationException("of a library");
        await MendAsync();
        _node.AfterCheckpoints = () => { };
        _time.Advance(AgainAfter);
        await _care.LookAsync(CancellationToken.None);
        await ShouldBeCopiedAsync(saved);
    }

    private bool IsMine(TaskId task) =>
        PeerOrder.Of(task.Value, new NodeAddress("", 0), [_ring.Known.Self, .. _ring.Known.Living])[0] == _ring.Known.Self;

    private static CheckpointRef Removed(CheckpointRef like) =>
        like with
        {
            Name = CheckpointNames.Create(1, 20, new DeterministicRandom(9)),
        };

    private void List(TaskId task, CheckpointRef checkpoint) =>
        _node.Checkpoints.Add(new CheckpointListing(task, checkpoint, 1, SampleCluster.Now, Damaged: false));

    /// <summary>The cluster is as it was at the look before, so what is missing is made.</summary>
    private async Task MendAsync()
    {
        await _care.LookAsync(CancellationToken.None);
        await _care.LookAsync(CancellationToken.None);
    }

    private async Task<CheckpointRef> SaveWithoutCopyAsync()
    {
        CheckpointRef saved = await _ring.SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        _ring.Damage(PeerRing.Task, CheckpointNames.ManifestFile(saved.Name), _ => null);
        return saved;
    }

    private async Task ShouldBeCopiedAsync(CheckpointRef saved)
    {
        await _store.DrainAsync(CancellationToken.None);
        _ring.HoldersOf(PeerRing.Task, CheckpointNames.ManifestFile(saved.Name)).ShouldBe(_ring.Known.Living);
        (await _ring.Store.VerifyAsync(PeerRing.Task, saved, CancellationToken.None)).ShouldBePositive();
    }
}
