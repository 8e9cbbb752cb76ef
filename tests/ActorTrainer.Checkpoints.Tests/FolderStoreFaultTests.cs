using System.Text;
using ActorTrainer.Checkpoints.Tests.Faults;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class FolderStoreFaultTests : IDisposable
{
    private const int NoSpace = 28;

    private readonly SaveFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("Create")]
    [InlineData("Append")]
    [InlineData("Sync")]
    [InlineData("Rename")]
    [InlineData("SyncFolder")]
    public async Task Save_DiskFullAtAStep_SaysSoAndLeavesNothing(string step)
    {
        _fixture.Write(("a", _fixture.Noise(9 * SaveFixture.ChunkSize)));
        FolderStore store = _fixture.Open(at =>
            _ = at.Action.ToString() == step ? throw new IOException("No space left on device", NoSpace) : 0
        );
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(store));
        e.Message.ShouldContain("no space is left");
        e.Message.ShouldContain(_fixture.StoreFolder);
        (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Save_RealDiskFull_SaysSoKeepsTheOldOneAndGoesOnOnceThereIsRoom()
    {
        using TinyDisk? disk = TinyDisk.TryMount(kibibytes: 512);
        using SaveFixture fixture = new(disk?.Root);
        FolderStore store = disk is null ? fixture.Open(SimulatedFullDisk(fixture.StoreFolder, 512 << 10)) : fixture.Open();
        byte[] small = fixture.Noise(64 << 10);
        fixture.Write(("small", small));
        CheckpointRef first = await fixture.SaveAsync(store);
        IReadOnlyList<string> files = await store.ListFilesAsync(fixture.Task, CancellationToken.None);

        fixture.Write(("large", fixture.Noise(1 << 20)));
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => fixture.SaveAsync(store, first));
        e.Message.ShouldContain("no space is left on the device");
        (await store.ListFilesAsync(fixture.Task, CancellationToken.None)).ShouldBe(files);
        await store.RestoreAsync(fixture.Task, first, fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(fixture.Folder["restored"])["small"].ShouldBe(small);

        fixture.Write(("small", fixture.Noise(64 << 10)));
        CheckpointRef next = await fixture.SaveAsync(store, first);
        (await store.VerifyAsync(fixture.Task, next, CancellationToken.None)).ShouldBeGreaterThan(64 << 10);
    }

    [Fact]
    public async Task Save_FolderReadOnly_SaysSoAndStillRestores()
    {
        using TinyDisk? disk = TinyDisk.TryMount(kibibytes: 512);
        using SaveFixture fixture = new(disk?.Root);
        FolderStore store = fixture.Open();
        fixture.Write(("a", fixture.Noise(1000)));
        CheckpointRef first = await fixture.SaveAsync(store);
        string packs = Path.Combine(fixture.StoreFolder, fixture.Task.Value, "packs");
        if (disk is not null)
        {
            disk.MakeReadOnly();
        }
        else if (!OperatingSystem.IsWindows() && Environment.UserName != "root")
        {
            File.SetUnixFileMode(packs, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        else
        {
            store = fixture.Open(_ => throw new UnauthorizedAccessException());
        }

        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => fixture.SaveAsync(store));
        e.Message.ShouldBeOneOf(MessagesOf(fixture, e));
        await store.RestoreAsync(fixture.Task, first, fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(fixture.Folder["restored"]).Keys.ShouldBe(["a"]);
        if (disk is null && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(packs, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task Save_StoreGoneThoughCheckpointsAreListed_IsAwayAndNotMadeAnew()
    {
        FolderStore store = _fixture.Open();
        _fixture.Write(("a", _fixture.Noise(1000)));
        CheckpointRef first = await _fixture.SaveAsync(store);
        Directory.Move(_fixture.StoreFolder, _fixture.Folder["unmounted"]);
        Directory.CreateDirectory(_fixture.StoreFolder);

        CheckpointStoreException saving = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(store, first));
        saving.Message.ShouldContain("mounted");
        await Should.ThrowAsync<CheckpointStoreException>(() => store.VerifyAsync(_fixture.Task, first, CancellationToken.None));
        Directory.EnumerateFileSystemEntries(_fixture.StoreFolder).ShouldBeEmpty();

        Directory.Delete(_fixture.StoreFolder);
        Directory.Move(_fixture.Folder["unmounted"], _fixture.StoreFolder);
        (await store.VerifyAsync(_fixture.Task, first, CancellationToken.None)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Save_SameNameAtTheSameTime_OneWinsWhole()
    {
        _fixture.Write(("a", _fixture.Noise(1000)));
        string name = _fixture.NewName();
        Exception? second = null;
        FolderStore rival = _fixture.Open();
        FolderStore store = _fixture.Open(step =>
        {
            if (step.Action == DiskAction.Sync && step.Path.EndsWith(".pack", StringComparison.Ordinal))
            {
                second = Record.Exception(() => rival.SaveAsync(_fixture.Request(name), CancellationToken.None).GetAwaiter().GetResult());
            }
        });
        CheckpointRef saved = await store.SaveAsync(_fixture.Request(name), CancellationToken.None);
        second.ShouldBeOfType<CheckpointStoreException>().Message.ShouldContain("never used again");
        (await store.VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/outside")]
    [InlineData("a/../../outside")]
    [InlineData("")]
    [InlineData("a//b")]
    public async Task Restore_ManifestThatLeadsOutOfTheFolder_IsDamaged(string path)
    {
        CheckpointRef crafted = await CraftAsync(text =>
            text.Replace("\"path\": \"aaaa\"", $"\"path\": \"{path}\"", StringComparison.Ordinal)
        );
        CheckpointDamagedException e = await Should.ThrowAsync<CheckpointDamagedException>(() =>
            _fixture.Open().RestoreAsync(_fixture.Task, crafted, _fixture.Folder["restored"], CancellationToken.None)
        );
        e.Message.ShouldContain("lead out of the folder");
        File.Exists(_fixture.Folder["outside"]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("latest", "..", "aaaa", "the link 'latest' leads to '..'")]
    [InlineData("latest", "/tmp", "aaaa", "the link 'latest' leads to '/tmp'")]
    [InlineData("latest", "deep/../..", "aaaa", "the link 'latest' leads to 'deep/../..'")]
    [InlineData("latest", "deep", "latest/x/aaaa", "'latest/x/aaaa' would be written through a link")]
    public async Task Restore_ManifestWithALinkThatLeadsOut_IsDamaged(string link, string target, string path, string fault)
    {
        CheckpointRef crafted = await CraftAsync(text =>
            text.Replace("\"path\": \"aaaa\"", $"\"path\": \"{path}\"", StringComparison.Ordinal)
                .Replace(
                    "\"entries\": [",
                    $$"""
                    "entries": [ { "path": "{{link}}", "length": 0, "mode": "777", "link": "{{target}}", "chunks": [] },
                    """,
                    StringComparison.Ordinal
                )
        );
        CheckpointDamagedException e = await Should.ThrowAsync<CheckpointDamagedException>(() =>
            _fixture.Open().RestoreAsync(_fixture.Task, crafted, _fixture.Folder["restored"], CancellationToken.None)
        );
        e.Message.ShouldContain(fault);
    }

    [Theory]
    [InlineData("\"length\": 1000", "\"length\": 999")]
    [InlineData("\"length\": 1000", "\"length\": 9000000000000000000")]
    [InlineData("\"chunkSize\": 4096", "\"chunkSize\": 0")]
    [InlineData("\"offset\":8", "\"offset\":-8")]
    [InlineData("\"offset\":8", "\"offset\":9")]
    [InlineData("\"pack\":0", "\"pack\":7")]
    [InlineData("\"codec\":\"none\"", "\"codec\":\"deflate\"")]
    [InlineData("\"mode\": \"644\"", "\"mode\": \"999\"")]
    [InlineData("\"entries\": [", "\"entries\": null, \"x\": [")]
    [InlineData("packs/c-", "packs/../../c-")]
    [InlineData("\"format\"", "format")]
    public async Task Verify_ManifestThatMakesNoSense_IsDamaged(string from, string to)
    {
        CheckpointRef crafted = await CraftAsync(text =>
        {
            text.ShouldContain(from);
            return text.Replace(from, to, StringComparison.Ordinal);
        });
        await Should.ThrowAsync<CheckpointDamagedException>(() =>
            _fixture.Open().VerifyAsync(_fixture.Task, crafted, CancellationToken.None)
        );
    }

    [Fact]
    public async Task Verify_ManifestOfALaterVersion_AsksForAnUpdate()
    {
        CheckpointRef crafted = await CraftAsync(text => text.Replace("\"version\": 1", "\"version\": 99", StringComparison.Ordinal));
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() =>
            _fixture.Open().VerifyAsync(_fixture.Task, crafted, CancellationToken.None)
        );
        e.Message.ShouldContain("Update this node");
    }

    [Fact]
    public async Task Restore_Damaged_LeavesTheTargetAsItWas()
    {
        FolderStore store = _fixture.Open();
        _fixture.Write(("a", _fixture.Noise(9 * SaveFixture.ChunkSize)));
        CheckpointRef saved = await _fixture.SaveAsync(store);
        StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, saved.Packs[0], bytes => bytes[..^10]);
        DiskFolder.Write(_fixture.Folder["restored"], new Dictionary<string, byte[]> { ["before"] = [1] });
        await Should.ThrowAsync<CheckpointDamagedException>(() =>
            store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None)
        );
        DiskFolder.Read(_fixture.Folder["restored"]).Keys.ShouldBe(["before"]);
        Directory.Exists(_fixture.Folder["restored.partial"]).ShouldBeFalse();
    }

    // Saves a checkpoint and rewrites its manifest together with its hash: a mistake or an intruder that knows the format.
    private async Task<CheckpointRef> CraftAsync(Func<string, string> change)
    {
        _fixture.Write(("aaaa", _fixture.Noise(1000)));
        CheckpointRef saved = await _fixture.SaveAsync(_fixture.Open());
        string hash = "";
        StoreFolder.Damage(
            _fixture.StoreFolder,
            _fixture.Task,
            CheckpointNames.ManifestFile(saved.Name),
            bytes =>
            {
                byte[] crafted = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(bytes)));
                hash = ManifestFormat.HashOf(crafted);
                return crafted;
            }
        );
        return saved with { ManifestSha256 = hash };
    }

    private static Action<DiskStep> SimulatedFullDisk(string store, long size) =>
        _ =>
        {
            if (
                Directory.Exists(store)
                && new DirectoryInfo(store).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) > size
            )
            {
                throw new IOException("No space left on device", NoSpace);
            }
        };

    private static string[] MessagesOf(SaveFixture fixture, CheckpointStoreException e) =>
        [
            .. new[] { "the file system is read-only", "permission denied" }
                .Where(why =>
                    e.Message.Contains(why, StringComparison.Ordinal) && e.Message.Contains(fixture.StoreFolder, StringComparison.Ordinal)
                )
                .Select(_ => e.Message),
        ];
}
