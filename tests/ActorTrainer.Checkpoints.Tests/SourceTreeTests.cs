using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

public sealed partial class SourceTreeTests : IDisposable
{
    private readonly SaveFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("latest", "a")]
    [InlineData("latest", "deep/er")]
    [InlineData("deep/back", "../a")]
    [InlineData("deep/loop", ".")]
    [InlineData("deep/all", "..")]
    [InlineData("gone", "not-there")]
    public async Task Save_LinkToWhatIsBelowTheFolder_ComesBackAsALink(string link, string target)
    {
        _fixture.Write(("a", [1]), ("deep/er", [2]));
        File.CreateSymbolicLink(Path.Combine(_fixture.Folder["source"], link), target);
        FolderStore store = _fixture.Open();

        CheckpointRef saved = await _fixture.SaveAsync(store);
        await store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);

        saved.Bytes.ShouldBe(2);
        new FileInfo(Path.Combine(_fixture.Folder["restored"], link)).LinkTarget.ShouldBe(target);
        File.ReadAllBytes(Path.Combine(_fixture.Folder["restored"], "deep", "er")).ShouldBe([2]);
    }

    [Theory]
    [InlineData("up", "..")]
    [InlineData("deep/up", "../..")]
    [InlineData("around", "deep/../../x")]
    [InlineData("absolute", "/etc/passwd")]
    public async Task Save_LinkThatLeadsOut_IsRefused(string link, string target)
    {
        _fixture.Write(("a", [1]), ("deep/er", [2]));
        File.CreateSymbolicLink(Path.Combine(_fixture.Folder["source"], link), target);
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(_fixture.Open()));
        e.Message.ShouldContain($"is a link to '{target}'");
    }

    [Fact]
    public async Task Save_Pipe_IsRefusedWithoutOpeningIt()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.Exists(_fixture.Folder.Root).ShouldBeTrue("pipes have no place in a Windows folder");
            return;
        }

        _fixture.Write(("a", [1]));
        MakePipe(Path.Combine(_fixture.Folder["source"], "pipe"), 0b110_000_000).ShouldBe(0);
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(_fixture.Open()));
        e.Message.ShouldContain("pipe");
    }

    [Theory]
    [InlineData("overwrite")]
    [InlineData("append")]
    [InlineData("truncate")]
    [InlineData("replace")]
    [InlineData("delete")]
    public async Task Save_FileChangedWhileRead_FailsAndLeavesNothing(string change)
    {
        _fixture.Write(("state", _fixture.Noise(20 * SaveFixture.ChunkSize)));
        string file = Path.Combine(_fixture.Folder["source"], "state");
        // As if written a while ago: file times have the grain of the kernel's tick.
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddYears(50));
        bool changed = false;
        FolderStore store = _fixture.Open(step =>
        {
            if (step == SaveStep.WritingChunks && !changed)
            {
                changed = true;
                Change(file, change);
            }
        });
        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => _fixture.SaveAsync(store));
        e.Message.ShouldContain(file);
        (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    /// <summary>As when the file gets or loses another name: its content is what it was.</summary>
    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Save_OnlyTheChangeTimeMovesWhileRead_IsSaved()
    {
        _fixture.Write(("state", _fixture.Noise(20 * SaveFixture.ChunkSize)));
        string file = Path.Combine(_fixture.Folder["source"], "state");
        int looks = 0;
        FolderStore store = _fixture.Open(step =>
        {
            if (step == SaveStep.WritingChunks)
            {
                looks++;
                File.SetUnixFileMode(file, File.GetUnixFileMode(file));
            }
        });

        await _fixture.SaveAsync(store);

        looks.ShouldBePositive();
    }

    [Fact]
    public async Task Restore_Modes_AreThoseOfTheSource()
    {
        _fixture.Write(("run.sh", [1]), ("secret", [2]), ("fixed", [3]));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(_fixture.Folder["source"], "run.sh"), (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(Path.Combine(_fixture.Folder["source"], "secret"), (UnixFileMode)0b110_000_000);
            File.SetUnixFileMode(Path.Combine(_fixture.Folder["source"], "fixed"), (UnixFileMode)0b100_100_100);
        }

        FolderStore store = _fixture.Open();
        CheckpointRef saved = await _fixture.SaveAsync(store);
        await store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);
        foreach (string name in (string[])["run.sh", "secret", "fixed"])
        {
            FileStatus
                .Read(Path.Combine(_fixture.Folder["restored"], name))
                .Mode.ShouldBe(FileStatus.Read(Path.Combine(_fixture.Folder["source"], name)).Mode, name);
        }
    }

    /// <summary>A script that looks for its newest file looks at the times.</summary>
    [Fact]
    public async Task Restore_Times_AreThoseOfTheSource()
    {
        _fixture.Write(("old", [1]), ("new", [2]), ("empty", []));
        DateTime written = new(2026, 3, 4, 5, 6, 7, 891, DateTimeKind.Utc);
        string source = _fixture.Folder["source"];
        File.SetLastWriteTimeUtc(Path.Combine(source, "old"), written);
        File.SetLastWriteTimeUtc(Path.Combine(source, "new"), written.AddTicks(1234567));
        File.SetLastWriteTimeUtc(Path.Combine(source, "empty"), DateTime.UnixEpoch.AddYears(-20));

        FolderStore store = _fixture.Open();
        CheckpointRef saved = await _fixture.SaveAsync(store);
        await store.RestoreAsync(_fixture.Task, saved, _fixture.Folder["restored"], CancellationToken.None);

        foreach (string name in (string[])["old", "new", "empty"])
        {
            File.GetLastWriteTimeUtc(Path.Combine(_fixture.Folder["restored"], name))
                .ShouldBe(File.GetLastWriteTimeUtc(Path.Combine(source, name)), name);
        }
    }

    [Fact]
    public void List_EmptyFolders_AreDropped()
    {
        _fixture.Write(("b/c", [1]), ("a", [1]), ("b.d", [1]));
        Directory.CreateDirectory(Path.Combine(_fixture.Folder["source"], "nothing", "here"));
        SourceTree.List(_fixture.Folder["source"]).Select(file => file.Path).ShouldBe(["a", "b.d", "b/c"]);
        DiskFolder.Read(_fixture.Folder["source"]).Count.ShouldBe(3);
    }

    private static void Change(string file, string change)
    {
        switch (change)
        {
            case "overwrite":
                using (FileStream stream = File.OpenWrite(file))
                {
                    stream.WriteByte(1);
                }

                break;
            case "append":
                File.AppendAllText(file, "more");
                break;
            case "truncate":
                using (FileStream stream = File.OpenWrite(file))
                {
                    stream.SetLength(100);
                }

                break;
            case "replace":
                File.Copy(file, file + ".new");
                File.Move(file + ".new", file, overwrite: true);
                break;
            default:
                File.Delete(file);
                break;
        }
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
