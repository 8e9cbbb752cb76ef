using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Node;

/// <summary>A node that reads back what it keeps: real files with flipped bits, a real task, a journal in memory.</summary>
public sealed class CheckpointScrubberTests : IAsyncDisposable
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));
    private readonly FakeNode _node = SampleCluster.Create();
    private readonly FolderStore _store;
    private readonly TaskEntity _entity = new(SampleCluster.Digits, new EntityHome(4, SampleCluster.A));
    private readonly DeterministicRandom _random = new(3);
    private readonly List<TaskEvent> _log = [];
    private readonly RunKey _run;
    private CheckpointScrubber _scrubber;
    private TimeSpan _now = TimeSpan.FromSeconds(100);
    private int _saves;

    public CheckpointScrubberTests()
    {
        _store = Open("store");
        _scrubber = Scrubber(_store);
        _node.Checkpoints.Clear();
        _node.OnCommand = (_, command) => Do(_entity.On(command, _now)).Reply!;
        OwnedBy(4);
        Do(_entity.Activated(1, _now));
        TaskSpec spec = new() { Name = "digits", Trainer = new TrainerSpec("Digits", null, null) };
        Do(_entity.On(new SubmitTask(spec, "hash"), _now));
        _run = Do(_entity.Grant(_now)).AfterCommit.OfType<StartWorker>().Single().Run;
        Happens(new WorkerStarted(_run, 4711));
        Happens(new WorkerReady(_run));
    }

    public async ValueTask DisposeAsync()
    {
        await _scrubber.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Pass_BitFlippedInASharedPack_MarksAllThatHaveItAndTheNextSaveSharesNothing()
    {
        CheckpointRef first = await SaveAsync(_store, 0);
        CheckpointRef second = await SaveAsync(_store, 1);
        second.Packs.ShouldContain(first.Packs[0]);
        _time.Advance(Week);
        Flip("store", first.Packs[0]);

        await _scrubber.PassAsync(CancellationToken.None);

        _log.OfType<TaskCheckpointDamaged>().Select(e => e.Checkpoint).ShouldBe([second.Name, first.Name], ignoreOrder: true);
        _entity.State!.LastUsable.ShouldBeNull();
        File.Exists(Path.Combine(_folder["store"], _run.Task.Value, first.Packs[0])).ShouldBeTrue("it is kept aside");

        CheckpointRef third = await SaveAsync(_store, 2);
        third.Packs.ShouldBe([CheckpointNames.PackFile(third.Name)]);
        _entity.State.LastUsable!.Name.ShouldBe(third.Name);
        await _store.RestoreAsync(_run.Task, third, _folder["restored"], CancellationToken.None);
    }

    [Fact]
    public async Task Pass_BitFlippedInTheNewest_TheOneBeforeIsRestored()
    {
        CheckpointRef first = await SaveAsync(_store, 0);
        CheckpointRef second = await SaveAsync(_store, 1);
        _time.Advance(Week);
        Flip("store", second.Packs.Single(pack => pack == CheckpointNames.PackFile(second.Name)));
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointDamaged>().ShouldHaveSingleItem().Checkpoint.ShouldBe(second.Name);
        _log.OfType<TaskCheckpointVerified>().ShouldHaveSingleItem().Checkpoint.ShouldBe(first.Name);
        _entity.State!.LastUsable!.Name.ShouldBe(first.Name);
    }

    [Fact]
    public async Task Pass_NothingIsDue_ReadsNothing()
    {
        await SaveAsync(_store, 0);
        await _scrubber.PassAsync(CancellationToken.None);
        _time.Advance(Week - TimeSpan.FromMinutes(1));
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointVerified>().ShouldBeEmpty();
        _time.Advance(TimeSpan.FromMinutes(1));
        await _scrubber.PassAsync(CancellationToken.None);
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointVerified>().ShouldHaveSingleItem().At.ShouldBe(_time.GetUtcNow());
    }

    [Fact]
    public async Task Pass_TaskOfAnotherNode_IsLeftToIt()
    {
        CheckpointRef saved = await SaveAsync(_store, 0);
        _time.Advance(Week);
        Flip("store", saved.Packs[0]);
        OwnedBy(5);
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointDamaged>().ShouldBeEmpty();
        OwnedBy(4);
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointDamaged>().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Pass_StoreAway_SaysNothingOfTheCheckpoint()
    {
        CheckpointRef saved = await SaveAsync(_store, 0);
        _time.Advance(Week);
        Directory.Move(_folder["store"], _folder["unmounted"]);
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointDamaged>().ShouldBeEmpty();
        Directory.Move(_folder["unmounted"], _folder["store"]);
        await _scrubber.PassAsync(CancellationToken.None);
        _log.OfType<TaskCheckpointVerified>().ShouldHaveSingleItem().Checkpoint.ShouldBe(saved.Name);
    }

    [Fact]
    public async Task Pass_AnotherTierHasIt_IsRepairedAndWhole()
    {
        FolderStore remote = Open("remote");
        await using TieredStore tiered = new(_store, remote, _folder["sync"], null, TimeProvider.System);
        tiered.Load();
        await _scrubber.DisposeAsync();
        _scrubber = Scrubber(tiered);
        CheckpointRef saved = await SaveAsync(tiered, 0);
        await tiered.DrainAsync(CancellationToken.None);
        byte[] before = await File.ReadAllBytesAsync(FileOf("store", saved.Packs[0]));
        _time.Advance(Week);
        Flip("store", saved.Packs[0]);

        await _scrubber.PassAsync(CancellationToken.None);
        await tiered.DrainAsync(CancellationToken.None);

        _log.OfType<TaskCheckpointDamaged>().ShouldBeEmpty();
        _log.OfType<TaskCheckpointVerified>().ShouldHaveSingleItem().Checkpoint.ShouldBe(saved.Name);
        (await File.ReadAllBytesAsync(FileOf("store", saved.Packs[0]))).ShouldBe(before);
    }

    /// <summary>
    /// What a node keeps for others is read back by it, and taken from them again where it is damaged. Nothing is journaled.
    /// </summary>
    [Fact]
    public async Task Pass_CopyForAnotherNodeIsDamaged_IsFetchedAgain()
    {
        FolderStore owner = Open("owner");
        await using TieredStore copies = new(_store, owner, _folder["sync"], null, TimeProvider.System);
        copies.Load();
        await _scrubber.DisposeAsync();
        _scrubber = Scrubber(
            copies,
            new KeptCopies(
                new PeerFolder(_folder["store"], new FolderBundles(new CheckpointStoreModel { Path = _folder["store"] }, _time)),
                _store
            )
        );
        CheckpointRef saved = await SaveAsync(copies, 0);
        await copies.DrainAsync(CancellationToken.None);
        OwnedBy(5);
        byte[] before = await File.ReadAllBytesAsync(FileOf("store", saved.Packs[0]));
        string manifest = FileOf("store", CheckpointNames.ManifestFile(saved.Name));
        File.SetLastWriteTimeUtc(manifest, _time.GetUtcNow().UtcDateTime);
        Flip("store", saved.Packs[0]);

        _time.Advance(Week - TimeSpan.FromSeconds(1));
        await PassAsync();
        (await File.ReadAllBytesAsync(FileOf("store", saved.Packs[0]))).ShouldNotBe(before, "it is not due");
        _time.Advance(TimeSpan.FromSeconds(1));
        await PassAsync();
        (await File.ReadAllBytesAsync(FileOf("store", saved.Packs[0]))).ShouldBe(before);
        File.GetLastWriteTimeUtc(manifest).ShouldNotBe(_time.GetUtcNow().UtcDateTime, "it was damaged, and is looked at again");
        await PassAsync();
        File.GetLastWriteTimeUtc(manifest).ShouldBe(_time.GetUtcNow().UtcDateTime, "it is whole, and read back in a week again");

        // Damaged everywhere: whoever owns it says so.
        Flip("store", saved.Packs[0]);
        Flip("owner", saved.Packs[0]);
        _time.Advance(Week);
        await PassAsync();
        _log.OfType<TaskCheckpointVerified>().ShouldBeEmpty();
        _log.OfType<TaskCheckpointDamaged>().ShouldBeEmpty();

        async Task PassAsync()
        {
            await _scrubber.PassAsync(CancellationToken.None);
            await copies.DrainAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Start_AfterAWeek_ReadsBackByItself()
    {
        CheckpointRef saved = await SaveAsync(_store, 0);
        Flip("store", saved.Packs[0]);
        TaskCompletionSource<RecordVerification> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _node.OnCommand = (task, command) =>
        {
            told.TrySetResult((RecordVerification)command);
            return new CommandAccepted(task);
        };
        DateTimeOffset began = _time.GetUtcNow();
        _scrubber.Start();
        while (!told.Task.IsCompleted)
        {
            // Its next pause may not have begun yet.
            _time.Advance(TimeSpan.FromHours(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        RecordVerification found = await told.Task;
        (found.Checkpoint, found.Damage is null).ShouldBe((saved.Name, false));
        found.At.ShouldBeGreaterThanOrEqualTo(began + Week);
    }

    private FolderStore Open(string name) =>
        new(new CheckpointStoreModel { Path = _folder[name], ChunkSizeBytes = 4096 }, TimeProvider.System);

    private CheckpointScrubber Scrubber(ICheckpointStore store, KeptCopies? copies = null) =>
        new(_node, store, copies, new ScrubModel { Every = Week, BytesPerSecond = 1L << 40 }, _time, NullLogger.Instance);

    private void OwnedBy(long owner) =>
        _node.View = _node.View with { Shards = [.. _node.View.Shards.Select(shard => shard with { Owner = owner })] };

    private string FileOf(string store, string file) => Path.Combine(_folder[store], _run.Task.Value, file);

    private void Flip(string store, string file)
    {
        string path = FileOf(store, file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>The worker stages a state, most of which is that of the one before; it is stored and listed.</summary>
    private async Task<CheckpointRef> SaveAsync(ICheckpointStore store, byte version)
    {
        byte[] bytes = new byte[8 * 4096];
        DeterministicRandom noise = new(7);
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(noise.NextUInt64() >> 56);
        }

        bytes[^1] = version;
        DiskFolder.Write(_folder["source"], new Dictionary<string, byte[]> { ["state"] = bytes });
        StagedState state = new($"s{++_saves}", _saves * 10, _saves, "interval", new Dictionary<string, double>());
        SaveCheckpoint save = Happens(new WorkerStaged(_run, state)).AfterCommit.OfType<SaveCheckpoint>().Single();
        SaveRequest request = new(_run.Task, _run.Term, save.Name, save.State, StateSource.OfFolder(_folder["source"]), save.Listed)
        {
            IsFull = save.Full,
        };
        CheckpointRef stored = (await store.SaveAsync(request, CancellationToken.None)) with { SavedAt = _time.GetUtcNow() };
        Happens(new CheckpointStored(_run, state.Id, stored));
        return stored;
    }

    private EntityStep Happens(TaskInput input) => Do(_entity.On(input, _now, _random));

    /// <summary>As the task's actor does it: what is decided is journaled, then listed.</summary>
    private EntityStep Do(EntityStep step)
    {
        _now += TimeSpan.FromSeconds(1);
        _log.AddRange(step.Persist);
        _entity.Commit(step.Persist, _now);
        _node.Checkpoints.Clear();
        _node.Checkpoints.AddRange(
            (_entity.State?.Checkpoints ?? []).Select(c => new CheckpointListing(
                SampleCluster.Digits,
                c.Checkpoint,
                1,
                _time.GetUtcNow(),
                c.Damaged
            )
            {
                VerifiedAt = c.VerifiedAt,
            })
        );
        return step;
    }
}
