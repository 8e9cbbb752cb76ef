using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.Tiered;

public sealed class TieredStoreConformanceTests : ChunkedStoreConformance
{
    private readonly TieredStore _store;

    public TieredStoreConformanceTests()
    {
        FolderStore local = new(new CheckpointStoreModel { Path = Folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);
        FolderStore remote = new(new CheckpointStoreModel { Path = Folder["remote"], ChunkSizeBytes = 4096 }, TimeProvider.System);
        ((FolderFiles)remote.Files).TryCreateStore();
        _store = new TieredStore(local, remote, Folder["sync"], interval: null, TimeProvider.System);
        _store.Load();
    }

    protected override ICheckpointStore Store => _store;

    protected override int ChunkSize => 4096;

    /// <summary>In both: what one of them has whole is not damaged.</summary>
    protected override void Damage(string file, Func<byte[], byte[]?> change)
    {
        _store.DrainAsync(CancellationToken.None).GetAwaiter().GetResult();
        StoreFolder.Damage(Folder["store"], Task, file, change);
        StoreFolder.Damage(Folder["remote"], Task, file, change);
    }

    protected override void TakeAway() => Directory.Move(Folder["store"], Folder["unmounted"]);

    protected override void BringBack() => Directory.Move(Folder["unmounted"], Folder["store"]);
}

public sealed class TieredStoreTests : IAsyncDisposable
{
    private readonly SaveFixture _fixture = new();
    private readonly List<TierNotice> _notices = [];
    private TieredStore _store;

    public TieredStoreTests() => _store = Open();

    private string Remote => _fixture.Folder["remote"];

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _fixture.Dispose();
    }

    [Fact]
    public async Task Drain_AfterSaves_TheOtherFolderHasTheSameFiles()
    {
        CheckpointRef first = await SaveAsync(20);
        CheckpointRef second = await SaveAsync(20, first);
        _store.Backlog.ShouldBe(2);
        await _store.DrainAsync(CancellationToken.None);
        _store.Backlog.ShouldBe(0);
        ContentOf(Remote).ShouldBe(ContentOf(_fixture.StoreFolder));
        (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, second, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Save_OtherStoreAway_GoesWellAndTheBacklogOutlivesARestart()
    {
        await File.WriteAllTextAsync(Remote, "in the way");
        CheckpointRef first = await SaveAsync(5);
        CheckpointRef second = await SaveAsync(5, first);
        await Should.ThrowAsync<CheckpointStoreException>(() => _store.DrainAsync(CancellationToken.None));
        _store.Backlog.ShouldBe(2);
        await _store.DisposeAsync();

        _store = Open();
        _store.Backlog.ShouldBe(2);
        await Should.ThrowAsync<CheckpointStoreException>(() => _store.DrainAsync(CancellationToken.None));
        File.Delete(Remote);
        CheckpointRef third = await SaveAsync(5, second);
        await _store.DrainAsync(CancellationToken.None);
        _store.Backlog.ShouldBe(0);
        foreach (CheckpointRef saved in (CheckpointRef[])[first, second, third])
        {
            (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
        }
    }

    [Fact]
    public async Task Drain_OtherStoreUnmountedAfterItWasSeen_IsAwayAndNotMadeAnew()
    {
        CheckpointRef first = await SaveAsync(5);
        await _store.DrainAsync(CancellationToken.None);
        Directory.Move(Remote, Remote + "-unmounted");
        Directory.CreateDirectory(Remote);
        await SaveAsync(5, first);
        await Should.ThrowAsync<CheckpointStoreException>(() => _store.DrainAsync(CancellationToken.None));
        Directory.EnumerateFileSystemEntries(Remote).ShouldBeEmpty();
        _store.Backlog.ShouldBe(1);
    }

    [Fact]
    public async Task Unlink_OfWhatWasCopied_RemovesBoth()
    {
        CheckpointRef first = await SaveAsync(5);
        await _store.DrainAsync(CancellationToken.None);
        await _store.UnlinkAsync(_fixture.Task, FilesOf(first), CancellationToken.None);
        (await _fixture.Open(folder: Remote).ListFilesAsync(_fixture.Task, CancellationToken.None)).Count.ShouldBe(2);
        (await _store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
        await _store.DrainAsync(CancellationToken.None);
        (await _fixture.Open(folder: Remote).ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
        (await _store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Unlink_BeforeItWasCopied_CopiesNothing()
    {
        CheckpointRef first = await SaveAsync(5);
        await _store.UnlinkAsync(_fixture.Task, FilesOf(first), CancellationToken.None);
        await _store.DrainAsync(CancellationToken.None);
        _store.Backlog.ShouldBe(0);
        (await _fixture.Open(folder: Remote).ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true, "flip")]
    [InlineData(true, "truncate")]
    [InlineData(true, "remove")]
    [InlineData(false, "flip")]
    [InlineData(false, "remove")]
    public async Task Restore_FolderHasLostAFile_TakesTheOtherAndFetchesIt(bool pack, string damage)
    {
        CheckpointRef saved = await SaveAsync(9);
        await _store.DrainAsync(CancellationToken.None);
        string before = ContentOf(_fixture.StoreFolder);
        StoreFolder.Damage(
            _fixture.StoreFolder,
            _fixture.Task,
            pack ? saved.Packs[0] : CheckpointNames.ManifestFile(saved.Name),
            bytes =>
            {
                bytes[^20] ^= 4;
                return damage switch
                {
                    "flip" => bytes,
                    "truncate" => bytes[..^1],
                    _ => null,
                };
            }
        );

        await RestoreAndCompareAsync(saved);
        ContentOf(_fixture.StoreFolder).ShouldNotBe(before);
        await _store.DrainAsync(CancellationToken.None);

        ContentOf(_fixture.StoreFolder).ShouldBe(before);
        TierNotice notice = _notices.ShouldHaveSingleItem();
        bool hadIt = pack || damage != "remove";
        notice.IsProblem.ShouldBe(hadIt, "a folder that has nothing of it may be another node's");
        notice.Text.ShouldContain(hadIt ? "was fetched again; look at its disk" : "did not have, was fetched");
        await _fixture.Open().VerifyAsync(_fixture.Task, saved, CancellationToken.None);
    }

    [Fact]
    public async Task Restore_OnANewDisk_TakesTheOtherAndSavesGoOn()
    {
        CheckpointRef saved = await SaveAsync(9);
        await _store.DrainAsync(CancellationToken.None);
        await _store.DisposeAsync();
        Directory.Delete(_fixture.StoreFolder, recursive: true);
        Directory.Delete(_fixture.Folder["sync"], recursive: true);

        _store = Open();
        await RestoreAndCompareAsync(saved);
        CheckpointRef next = await SaveAsync(3, saved);
        await _store.DrainAsync(CancellationToken.None);

        (await _fixture.Open().VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
        (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, next, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Restore_LostHereAndTheOtherIsAway_IsAwayAndNotDamaged()
    {
        CheckpointRef saved = await SaveAsync(3);
        await _store.DrainAsync(CancellationToken.None);
        StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, saved.Packs[0], _ => null);
        Directory.Move(Remote, Remote + "-unmounted");
        await Should.ThrowAsync<CheckpointStoreException>(() => _store.VerifyAsync(_fixture.Task, saved, CancellationToken.None));
        Directory.Move(Remote + "-unmounted", Remote);
        (await _store.VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Restore_LostInBoth_IsDamagedAndNamesBoth()
    {
        CheckpointRef saved = await SaveAsync(3);
        await _store.DrainAsync(CancellationToken.None);
        StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, saved.Packs[0], _ => null);
        StoreFolder.Damage(Remote, _fixture.Task, saved.Packs[0], bytes => bytes[..^1]);
        CheckpointDamagedException e = await Should.ThrowAsync<CheckpointDamagedException>(() =>
            _store.VerifyAsync(_fixture.Task, saved, CancellationToken.None)
        );
        e.Message.ShouldContain("is missing");
        e.Message.ShouldContain("is truncated");
    }

    [Fact]
    public async Task Drain_DamagedHere_IsNotCopiedAndIsSaid()
    {
        CheckpointRef saved = await SaveAsync(3);
        StoreFolder.Damage(
            _fixture.StoreFolder,
            _fixture.Task,
            saved.Packs[0],
            bytes =>
            {
                bytes[100] ^= 1;
                return bytes;
            }
        );
        await _store.DrainAsync(CancellationToken.None);
        _store.Backlog.ShouldBe(0);
        _notices.ShouldHaveSingleItem().Text.ShouldContain("is not copied, since it is damaged");
        (await _fixture.Open(folder: Remote).ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Drain_AttemptThatWasCutOff_IsDoneAgain()
    {
        CheckpointRef saved = await SaveAsync(9);
        string packs = Path.Combine(Remote, _fixture.Task.Value, "packs");
        Directory.CreateDirectory(packs);
        await File.WriteAllBytesAsync(Path.Combine(packs, saved.Name + ".pack"), [1, 2, 3]);
        await _store.DrainAsync(CancellationToken.None);
        (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Start_OnCommit_CopiesByItself()
    {
        await _store.DisposeAsync();
        _store = new TieredStore(
            _fixture.Open(),
            _fixture.Open(folder: Remote),
            _fixture.Folder["sync"],
            interval: null,
            TimeProvider.System,
            _notices.Add
        );
        _store.Start();
        CheckpointRef saved = await SaveAsync(3);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (_store.Backlog > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
        }

        (await _fixture.Open(folder: Remote).VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Copy_ToAnotherTask_IsCopiedThereToo()
    {
        CheckpointRef saved = await SaveAsync(3);
        TaskId other = TaskId.Parse("other-task");
        CheckpointRef copy = await _store.CopyAsync(_fixture.Task, saved, other, _fixture.NewName(term: 0), CancellationToken.None);
        await _store.DrainAsync(CancellationToken.None);
        (await _fixture.Open(folder: Remote).VerifyAsync(other, copy, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public void Start_BacklogThatCannotBeRead_SaysWhichFile()
    {
        string file = Path.Combine(_fixture.Folder["sync"], "000000000000000007.json");
        File.WriteAllText(file, "{");
        CheckpointStoreException e = Should.Throw<CheckpointStoreException>(_store.Load);
        e.Message.ShouldContain(file);
    }

    private TieredStore Open()
    {
        TieredStore store = new(
            _fixture.Open(),
            _fixture.Open(folder: Remote),
            _fixture.Folder["sync"],
            interval: null,
            TimeProvider.System,
            _notices.Add
        );
        store.Load();
        return store;
    }

    private Task<CheckpointRef> SaveAsync(int chunks, params CheckpointRef[] listed)
    {
        _fixture.Write(("a", _fixture.Noise(chunks * SaveFixture.ChunkSize)), ("same", [1, 2, 3]));
        return _fixture.SaveAsync(_store, listed);
    }

    private async Task RestoreAndCompareAsync(CheckpointRef saved)
    {
        await _store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(_fixture.Folder["restored"])["a"].ShouldBe(DiskFolder.Read(_fixture.Folder["source"])["a"]);
    }

    private static string[] FilesOf(CheckpointRef checkpoint) => [CheckpointNames.ManifestFile(checkpoint.Name), .. checkpoint.Packs];

    /// <summary>Names and contents of all files below a folder, as one text.</summary>
    private static string ContentOf(string folder) =>
        string.Join(
            '\n',
            Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(path => $"{Path.GetRelativePath(folder, path)} {ManifestFormat.HashOf(File.ReadAllBytes(path))}")
        );
}
