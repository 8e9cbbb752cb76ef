using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>
/// What every store does that keeps real files: links, modes and times come back, and a store that is away is not damaged.
/// </summary>
public abstract class ChunkedStoreConformance : CheckpointStoreConformance
{
    /// <summary>Takes the whole store out of reach, as when a disk is not mounted or a bucket is gone.</summary>
    protected abstract void TakeAway();

    /// <summary>Brings it back as it was.</summary>
    protected abstract void BringBack();

    [Theory]
    [InlineData("latest", "a")]
    [InlineData("latest", "deep/er")]
    [InlineData("deep/back", "../a")]
    [InlineData("deep/loop", ".")]
    [InlineData("deep/all", "..")]
    [InlineData("gone", "not-there")]
    public async Task Save_LinkToWhatIsBelowTheFolder_ComesBackAsALink(string link, string target)
    {
        DiskFolder.Write(Folder["source"], new Dictionary<string, byte[]> { ["a"] = [1], ["deep/er"] = [2] });
        File.CreateSymbolicLink(Path.Combine(Folder["source"], link), target);

        CheckpointRef saved = await SaveSource();
        await Restore(saved);

        saved.Bytes.ShouldBe(2);
        new FileInfo(Path.Combine(Folder["restored"], link)).LinkTarget.ShouldBe(target);
        File.ReadAllBytes(Path.Combine(Folder["restored"], "deep", "er")).ShouldBe([2]);
    }

    [Fact]
    public async Task Restore_Modes_AreThoseOfTheSource()
    {
        DiskFolder.Write(
            Folder["source"],
            new Dictionary<string, byte[]>
            {
                ["run.sh"] = [1],
                ["secret"] = [2],
                ["fixed"] = [3],
            }
        );
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(Folder["source"], "run.sh"), (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(Path.Combine(Folder["source"], "secret"), (UnixFileMode)0b110_000_000);
            File.SetUnixFileMode(Path.Combine(Folder["source"], "fixed"), (UnixFileMode)0b100_100_100);
        }

        await Restore(await SaveSource());

        foreach (string name in (string[])["run.sh", "secret", "fixed"])
        {
            FileStatus
                .Read(Path.Combine(Folder["restored"], name))
                .Mode.ShouldBe(FileStatus.Read(Path.Combine(Folder["source"], name)).Mode, name);
        }
    }

    /// <summary>A script that looks for its newest file looks at the times.</summary>
    [Fact]
    public async Task Restore_Times_AreThoseOfTheSource()
    {
        string source = Folder["source"];
        DiskFolder.Write(
            source,
            new Dictionary<string, byte[]>
            {
                ["old"] = [1],
                ["new"] = [2],
                ["empty"] = [],
            }
        );
        DateTime written = new(2026, 3, 4, 5, 6, 7, 891, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(Path.Combine(source, "old"), written);
        File.SetLastWriteTimeUtc(Path.Combine(source, "new"), written.AddTicks(1234567));
        File.SetLastWriteTimeUtc(Path.Combine(source, "empty"), DateTime.UnixEpoch.AddYears(-20));

        await Restore(await SaveSource());

        foreach (string name in (string[])["old", "new", "empty"])
        {
            File.GetLastWriteTimeUtc(Path.Combine(Folder["restored"], name))
                .ShouldBe(File.GetLastWriteTimeUtc(Path.Combine(source, name)), name);
        }
    }

    [Fact]
    public async Task Restore_NamesOfManyKinds_AreTheSame()
    {
        string[] names = ["a b%20+?#&='\"\\x", ".hidden", "ünï/🙂", "new\nline", "..two", "CON", "trailing ", "packs/c-1-1-aaaa.pack"];
        Dictionary<string, byte[]> files = names.ToDictionary(name => name, _ => RandomBytes(10), StringComparer.Ordinal);
        await Restore(await Save(files));
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Save_EqualFiles_AreStoredOnce()
    {
        byte[] bytes = RandomBytes(4 * ChunkSize);
        Dictionary<string, byte[]> files = Enumerable.Range(0, 6).ToDictionary(i => $"copy{i}", _ => bytes, StringComparer.Ordinal);
        CheckpointRef saved = await Save(files);
        saved.StoredBytes.ShouldBeInRange(4L * ChunkSize, (4L * ChunkSize) + 16_384);
        await Restore(saved);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Save_Full_OutlivesWhatItMightHaveShared()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        CheckpointRef second = await Store.SaveAsync(Request(NewName(), [first]) with { IsFull = true }, CancellationToken.None);
        second.Packs.ShouldBe([CheckpointNames.PackFile(second.Name)]);
        FullSavePolicy.IsFull(second).ShouldBeTrue();

        await Store.UnlinkAsync(Task, first.Packs, CancellationToken.None);
        await Restore(second);
        ShouldBeSame(files);
    }

    [Fact]
    public async Task Scrub_WholeThenWithAFlippedBit_SaysWhichItIs()
    {
        CheckpointRef saved = await Save(Tree());
        long read = await Store.VerifyAsync(Task, saved, CancellationToken.None);
        (await Store.ScrubAsync(Task, saved, long.MaxValue, CancellationToken.None)).ShouldBe(read);
        Damage(
            saved.Packs[0],
            bytes =>
            {
                bytes[bytes.Length / 2] ^= 8;
                return bytes;
            }
        );
        await Should.ThrowAsync<CheckpointDamagedException>(() => Store.ScrubAsync(Task, saved, long.MaxValue, CancellationToken.None));
    }

    [Fact]
    public async Task Save_SeveralAtOnce_AreAllWhole()
    {
        TaskId other = TaskId.Parse("other-task");
        Dictionary<string, byte[]> files = Tree();
        DiskFolder.Write(Folder["source"], files);
        SaveRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => Request(NewName(), []) with { Task = i % 2 == 0 ? Task : other })];

        CheckpointRef[] saved = await System.Threading.Tasks.Task.WhenAll(
            requests.Select(request => Store.SaveAsync(request, CancellationToken.None))
        );

        foreach ((SaveRequest request, CheckpointRef checkpoint) in requests.Zip(saved))
        {
            await Store.RestoreAsync(request.Task, checkpoint, Folder["restored"], CancellationToken.None);
            ShouldBeSame(files);
        }

        (await Store.ListFilesAsync(other, CancellationToken.None)).Count.ShouldBe(6);
    }

    [Fact]
    public async Task Store_Away_IsSaidToBeAwayAndNothingIsDamaged()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef first = await Save(files);
        TakeAway();
        CheckpointStoreException saving = await Should.ThrowAsync<CheckpointStoreException>(() => Save(files, first));
        saving.IsOfTheState.ShouldBeFalse();
        await Should.ThrowAsync<CheckpointStoreException>(() => Store.VerifyAsync(Task, first, CancellationToken.None));
        await Should.ThrowAsync<CheckpointStoreException>(() => Restore(first));
        await Should.ThrowAsync<CheckpointStoreException>(() =>
            Store.CopyAsync(Task, first, TaskId.Parse("other-task"), "c-0-10-aaaabbbb", CancellationToken.None)
        );
        BringBack();

        (await Store.ListFilesAsync(Task, CancellationToken.None)).ShouldBe([
            CheckpointNames.ManifestFile(first.Name),
            CheckpointNames.PackFile(first.Name),
        ]);
        await Restore(first);
        ShouldBeSame(files);
        CheckpointRef second = await Save(files, first);
        second.Packs.ShouldBe(first.Packs);
    }

    /// <summary>Saves the folder <c>source</c> as it is.</summary>
    protected Task<CheckpointRef> SaveSource() => Store.SaveAsync(Request(NewName(), []), CancellationToken.None);
}
