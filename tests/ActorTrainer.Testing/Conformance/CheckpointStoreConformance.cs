using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using Shouldly;
using Xunit;

namespace ActorTrainer.Testing.Conformance;

/// <summary>What every checkpoint store does. A store's tests derive from it.</summary>
public abstract partial class CheckpointStoreConformance : IDisposable
{
    private readonly DeterministicRandom _random = new(7);

    /// <summary>The task that the suite saves.</summary>
    protected static TaskId Task { get; } = TaskId.Parse("conformance-k3f9");

    /// <summary>Folders of the test.</summary>
    protected TemporaryFolder Folder { get; } = new();

    /// <summary>The store, empty at first, with chunks of <see cref="ChunkSize"/>.</summary>
    protected abstract ICheckpointStore Store { get; }

    /// <summary>The store's chunk size.</summary>
    protected abstract int ChunkSize { get; }

    /// <summary>Whether what is open for reading stays readable when its files are unlinked.</summary>
    protected virtual bool OpenOutlivesUnlink => true;

    /// <summary>Changes a stored file's bytes behind the store's back; null removes it.</summary>
    protected abstract void Damage(string file, Func<byte[], byte[]?> change);

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Removes what the test made.</summary>
    protected virtual void Dispose(bool disposing) => Folder.Dispose();

    [Fact]
    public async Task Restore_SavedTree_GivesTheSameBytes()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef saved = await Save(files);
        await Restore(saved);
        ShouldBeSame(files);
        saved.Bytes.ShouldBe(files.Values.Sum(bytes => (long)bytes.Length));
    }

    [Fact]
    public async Task Restore_EmptyTree_GivesAnEmptyFolder()
    {
        CheckpointRef saved = await Save([]);
        DiskFolder.Write(Folder["restored"], new Dictionary<string, byte[]> { ["left-over"] = [1] });
        await Restore(saved);
        ShouldBeSame([]);
        saved.Packs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Restore_TargetWithOtherFiles_EmptiesItFirst()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef saved = await Save(files);
        DiskFolder.Write(Folder["restored"], new Dictionary<string, byte[]> { ["old/state"] = [1, 2, 3], ["model.bin"] = [9] });
        await Restore(saved);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Save_State_IsDescribedByTheReference()
    {
        Dictionary<string, double> metrics = new() { ["loss"] = 0.25, ["broken"] = double.NaN };
        DiskFolder.Write(Folder["source"], Tree());
        string name = CheckpointNames.Create(4, 120, _random);
        CheckpointRef saved = await Store.SaveAsync(
            new SaveRequest(
                Task,
                4,
                name,
                new StagedState("s1", 120, 2.5, "interval", metrics),
                StateSource.OfFolder(Folder["source"]),
                []
            ),
            CancellationToken.None
        );
        saved.Name.ShouldBe(name);
        saved.Step.ShouldBe(120);
        saved.Epoch.ShouldBe(2.5);
        saved.Reason.ShouldBe("interval");
        saved.Metrics.ShouldBe(metrics);
        saved.StoredBytes.ShouldBeGreaterThan(0);
        saved.Packs.ShouldBe([CheckpointNames.PackFile(name)]);
        (await Store.VerifyAsync(Task, saved, CancellationToken.None)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task ListFiles_AfterSave_NamesPackAndManifest()
    {
        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBeEmpty();
        CheckpointRef saved = await Save(Tree());
        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBe([
            CheckpointNames.ManifestFile(saved.Name),
            CheckpointNames.PackFile(saved.Name),
        ]);
    }

    [Fact]
    public async Task Measure_FilesOfASave_HasTheirSizesAndLeavesOutWhatIsGone()
    {
        CheckpointRef saved = await Save(Tree());
        IReadOnlyList<string> files = await Store.ListFilesAsync(Task, CancellationToken.None);
        string gone = CheckpointNames.PackFile("c-1-1-gone");
        IReadOnlyDictionary<string, long> sizes = await Store.MeasureAsync(Task, [.. files, gone], CancellationToken.None);
        sizes.Keys.ShouldBe(files, ignoreOrder: true);
        sizes.Values.Sum().ShouldBe(saved.StoredBytes);
    }

    [Fact]
    public async Task Save_NameUsedBefore_IsRefusedAndTheFirstStays()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        DiskFolder.Write(Folder["source"], new Dictionary<string, byte[]> { ["other"] = [1] });
        await Should.ThrowAsync<CheckpointStoreException>(() => Store.SaveAsync(Request(first.Name, []), CancellationToken.None));
        await Restore(first);
        ShouldBeSame(files);
    }

    [Theory]
    [InlineData("../c-1-1-aaaa")]
    [InlineData("c-2-1-aaaa")]
    [InlineData("latest")]
    public async Task Save_NameOfAnotherForm_IsRefused(string name)
    {
        DiskFolder.Write(Folder["source"], Tree());
        await Should.ThrowAsync<CheckpointStoreException>(() => Store.SaveAsync(Request(name, []), CancellationToken.None));
        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Save_OneChangedChunk_StoresAboutOneChunk()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        files["model.bin"][ChunkSize + 17] ^= 0x40;
        CheckpointRef second = await Save(files, first);
        second.StoredBytes.ShouldBeLessThan((2L * ChunkSize) + 16_384);
        second
            .Packs.Order(StringComparer.Ordinal)
            .ShouldBe(new[] { CheckpointNames.PackFile(first.Name), CheckpointNames.PackFile(second.Name) }.Order(StringComparer.Ordinal));
        await Restore(second);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Save_NothingChanged_WritesNoPack()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        CheckpointRef second = await Save(files, first);
        second.Packs.ShouldBe([CheckpointNames.PackFile(first.Name)]);
        await Store.UnlinkAsync(Task, [CheckpointNames.ManifestFile(first.Name)], CancellationToken.None);
        await Restore(second);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Save_ListedCheckpointGone_WritesItsChunksAgain()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        Damage(CheckpointNames.PackFile(first.Name), _ => null);
        CheckpointRef second = await Save(files, first);
        second.Packs.ShouldBe([CheckpointNames.PackFile(second.Name)]);
        await Restore(second);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Unlink_FilesOfOneCheckpoint_LeavesTheOther()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        CheckpointRef second = await Save(files);
        string[] condemned = [CheckpointNames.ManifestFile(first.Name), CheckpointNames.PackFile(first.Name)];
        await Store.UnlinkAsync(Task, condemned, CancellationToken.None);
        await Store.UnlinkAsync(Task, condemned, CancellationToken.None);
        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBe([
            CheckpointNames.ManifestFile(second.Name),
            CheckpointNames.PackFile(second.Name),
        ]);
        await Restore(second);
        ShouldBeSame(files);
        await Should.ThrowAsync<CheckpointDamagedException>(() => Restore(first));
    }

    [Theory]
    [InlineData("../../outside")]
    [InlineData("packs/../../x.pack")]
    [InlineData("/etc/passwd")]
    public async Task Unlink_NameThatIsNoStoreFile_IsRefused(string file)
    {
        CheckpointRef saved = await Save(Tree());
        await Should.ThrowAsync<CheckpointStoreException>(() =>
            Store.UnlinkAsync(Task, [CheckpointNames.PackFile(saved.Name), file], CancellationToken.None)
        );
        await Restore(saved);
    }

    [Theory]
    [InlineData(true, "flip", "other bytes")]
    [InlineData(true, "truncate", "truncated")]
    [InlineData(true, "remove", "missing")]
    [InlineData(false, "flip", "other bytes")]
    [InlineData(false, "truncate", "other bytes")]
    [InlineData(false, "remove", "missing")]
    public async Task Restore_DamagedFile_NamesItAndTheOneBeforeStillRestores(bool pack, string damage, string kind)
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef before = await Save(files);
        CheckpointRef newest = await Save(files);
        string file = pack ? CheckpointNames.PackFile(newest.Name) : CheckpointNames.ManifestFile(newest.Name);
        Damage(
            file,
            bytes =>
                damage switch
                {
                    "flip" => Flipped(bytes, bytes.Length / 2),
                    "truncate" => bytes[..^1],
                    _ => null,
                }
        );

        CheckpointDamagedException restoring = await Should.ThrowAsync<CheckpointDamagedException>(() => Restore(newest));
        restoring.Message.ShouldContain(file);
        restoring.Message.ShouldContain(kind);
        await Should.ThrowAsync<CheckpointDamagedException>(() => Store.VerifyAsync(Task, newest, CancellationToken.None));
        Directory.Exists(Folder["restored"]).ShouldBeFalse();
        await Restore(before);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Verify_AnyByteOfThePackFlipped_IsDamaged()
    {
        CheckpointRef saved = await Save(new Dictionary<string, byte[]> { ["a"] = RandomBytes(300), ["b"] = new byte[300] });
        string file = CheckpointNames.PackFile(saved.Name);
        int length = 0;
        Damage(
            file,
            bytes =>
            {
                length = bytes.Length;
                return bytes;
            }
        );

        for (int at = 0; at < length; at += 7)
        {
            int position = at;
            Damage(file, bytes => Flipped(bytes, position));
            await Should.ThrowAsync<CheckpointDamagedException>(
                () => Store.VerifyAsync(Task, saved, CancellationToken.None),
                $"byte {position}"
            );
            Damage(file, bytes => Flipped(bytes, position));
        }

        (await Store.VerifyAsync(Task, saved, CancellationToken.None)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Save_SourceMissing_FailsAndLeavesNothing()
    {
        await Should.ThrowAsync<CheckpointStoreException>(() => Store.SaveAsync(Request(NewName(), []), CancellationToken.None));
        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Save_Cancelled_LeavesNothing()
    {
        DiskFolder.Write(Folder["source"], Tree());
        await Should.ThrowAsync<OperationCanceledException>(() =>
            Store.SaveAsync(Request(NewName(), []), new CancellationToken(canceled: true))
        );
        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Save_TwoTasks_KeepTheirFilesApart()
    {
        CheckpointRef mine = await Save(Tree());
        TaskId other = TaskId.Parse("other-task");
        (await Store.ListFilesAsync(other, CancellationToken.None)).ShouldBeEmpty();
        await Store.UnlinkAsync(other, [CheckpointNames.PackFile(mine.Name)], CancellationToken.None);
        (await Store.VerifyAsync(Task, mine, CancellationToken.None)).ShouldBeGreaterThan(0);
    }

    /// <summary>Saves files under a new name.</summary>
    protected Task<CheckpointRef> Save(Dictionary<string, byte[]> files, params CheckpointRef[] listed)
    {
        DiskFolder.Write(Folder["source"], files);
        return Store.SaveAsync(Request(NewName(), listed), CancellationToken.None);
    }

    /// <summary>Restores into the folder <c>restored</c>.</summary>
    protected Task Restore(CheckpointRef checkpoint) => Store.RestoreAsync(Task, checkpoint, Folder["restored"], CancellationToken.None);

    /// <summary>A name of term 1 that was not used before.</summary>
    protected string NewName() => CheckpointNames.Create(1, 10, _random);

    /// <summary>A request of term 1 for the folder <c>source</c>.</summary>
    protected SaveRequest Request(string name, IReadOnlyList<CheckpointRef> listed) =>
        new(
            Task,
            1,
            name,
            new StagedState("s1", 10, 1.5, "request", new Dictionary<string, double>()),
            StateSource.OfFolder(Folder["source"]),
            listed
        );

    /// <summary>Whether the folder <c>restored</c> holds exactly these files.</summary>
    protected void ShouldBeSame(Dictionary<string, byte[]> files)
    {
        IReadOnlyDictionary<string, byte[]> restored = DiskFolder.Read(Folder["restored"]);
        restored.Keys.Order(StringComparer.Ordinal).ShouldBe(files.Keys.Order(StringComparer.Ordinal));
        foreach ((string path, byte[] bytes) in files)
        {
            restored[path].AsSpan().SequenceEqual(bytes).ShouldBeTrue(path);
        }
    }

    /// <summary>Small and large files of several kinds: noise, zeros, floats, empty, in folders.</summary>
    protected Dictionary<string, byte[]> Tree() =>
        new(StringComparer.Ordinal)
        {
            ["model.bin"] = RandomBytes((5 * ChunkSize) + 123),
            ["optimizer/m.bin"] = Floats((2 * ChunkSize) + 3),
            ["optimizer/zeros"] = new byte[3 * ChunkSize],
            ["state.json"] = "{ \"step\": 10 }"u8.ToArray(),
            ["deep/er/and deeper/ünï.txt"] = RandomBytes(1),
            ["empty"] = [],
            ["exact"] = RandomBytes(ChunkSize),
        };

    /// <summary>Bytes that do not compress.</summary>
    protected byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)(_random.NextUInt64() >> 56);
        }

        return bytes;
    }

    /// <summary>Small floats around zero, as trained weights are.</summary>
    protected byte[] Floats(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i + 4 <= length; i += 4)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i), (float)((_random.NextDouble() - 0.5) * 0.1));
        }

        return bytes;
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        bytes[at] ^= 0x10;
        return bytes;
    }
}
