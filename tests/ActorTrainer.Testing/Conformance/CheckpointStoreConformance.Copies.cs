using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using Shouldly;
using Xunit;

namespace ActorTrainer.Testing.Conformance;

/// <content>Checkpoints that are read file by file, and those given to another task.</content>
public abstract partial class CheckpointStoreConformance
{
    [Fact]
    public async Task Open_SavedTree_GivesTheSameBytesAndItsUnlinkIsNoticedIfAtAll()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef saved = await Save(files);
        using ICheckpointContent content = await Store.OpenAsync(Task, saved, CancellationToken.None);
        if (OpenOutlivesUnlink)
        {
            await Store.UnlinkAsync(Task, await Store.ListFilesAsync(Task, CancellationToken.None), CancellationToken.None);
        }

        content.Files.Select(file => file.Path).ShouldBe(files.Keys.Order(StringComparer.Ordinal));
        for (int i = 0; i < content.Files.Count; i++)
        {
            byte[] expected = files[content.Files[i].Path];
            content.Files[i].Length.ShouldBe(expected.Length);
            using Stream stream = content.OpenFile(i);
            using MemoryStream read = new();
            stream.CopyTo(read, 1000);
            read.ToArray().AsSpan().SequenceEqual(expected).ShouldBeTrue(content.Files[i].Path);
            stream.Seek(-(expected.Length / 2), SeekOrigin.End);
            stream.ReadByte().ShouldBe(expected.Length > 1 ? expected[expected.Length - (expected.Length / 2)] : -1);
        }

        if (!OpenOutlivesUnlink)
        {
            await Store.UnlinkAsync(Task, await Store.ListFilesAsync(Task, CancellationToken.None), CancellationToken.None);
            using Stream gone = content.OpenFile(content.Files.Select(file => file.Path).ToList().IndexOf("model.bin"));
            Should.Throw<CheckpointDamagedException>(() => gone.ReadByte());
        }
    }

    [Fact]
    public async Task Copy_ForAnotherTask_StaysWhenTheFirstIsGone()
    {
        Dictionary<string, byte[]> files = Tree();
        CheckpointRef before = await Save(files);
        files["state.json"] = RandomBytes(100);
        CheckpointRef saved = await Save(files, before);
        TaskId other = TaskId.Parse("other-task");
        string name = CheckpointNames.Create(0, 10, _random);
        CheckpointRef copy = await Store.CopyAsync(Task, saved, other, name, CancellationToken.None);
        (copy.Name, copy.Step, copy.Bytes, copy.Reason).ShouldBe((name, saved.Step, saved.Bytes, "copied"));
        copy.Packs.Count.ShouldBe(2);
        (await Store.ListFilesAsync(other, CancellationToken.None)).ShouldBe(
            copy.Packs.Append(CheckpointNames.ManifestFile(name)).Order(StringComparer.Ordinal)
        );
        await Should.ThrowAsync<CheckpointStoreException>(() => Store.CopyAsync(Task, saved, other, name, CancellationToken.None));
        await Store.UnlinkAsync(Task, await Store.ListFilesAsync(Task, CancellationToken.None), CancellationToken.None);
        await Store.RestoreAsync(other, copy, Folder["restored"], CancellationToken.None);
        ShouldBeSame(files);

        // Its chunks are shared by what the other task saves.
        DiskFolder.Write(Folder["source"], files);
        CheckpointRef next = await Store.SaveAsync(Request(NewName(), [copy]) with { Task = other }, CancellationToken.None);
        next.Packs.Order(StringComparer.Ordinal).ShouldBe(copy.Packs.Order(StringComparer.Ordinal));

        // What it leaves when it is cut off is garbage of the very first owner.
        RetentionPolicy.PlanGarbage(await Store.ListFilesAsync(other, CancellationToken.None), [], 1).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Copy_OfWhatIsNotThere_IsDamagedAndLeavesNothing()
    {
        CheckpointRef saved = await Save(Tree());
        Damage(CheckpointNames.PackFile(saved.Name), _ => null);
        TaskId other = TaskId.Parse("other-task");
        await Should.ThrowAsync<CheckpointDamagedException>(() =>
            Store.CopyAsync(Task, saved, other, CheckpointNames.Create(0, 10, _random), CancellationToken.None)
        );
        (await Store.ListFilesAsync(other, CancellationToken.None)).ShouldBeEmpty();
        await Should.ThrowAsync<CheckpointStoreException>(() => Store.CopyAsync(Task, saved, other, NewName(), CancellationToken.None));
    }
}
