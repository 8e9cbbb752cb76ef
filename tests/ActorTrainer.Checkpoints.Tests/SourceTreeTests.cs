using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ActorTrainer.Checkpoints.Tests.Faults;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

public sealed partial class SourceTreeTests : IDisposable
{
    private readonly SaveFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

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
            if (IsOfThePack(step) && !changed)
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
            if (IsOfThePack(step))
            {
                looks++;
                File.SetUnixFileMode(file, File.GetUnixFileMode(file));
            }
        });

        await _fixture.SaveAsync(store);

        looks.ShouldBePositive();
    }

    [Fact]
    public void List_EmptyFolders_AreDropped()
    {
        _fixture.Write(("b/c", [1]), ("a", [1]), ("b.d", [1]));
        Directory.CreateDirectory(Path.Combine(_fixture.Folder["source"], "nothing", "here"));
        SourceTree.List(_fixture.Folder["source"]).Select(file => file.Path).ShouldBe(["a", "b.d", "b/c"]);
        DiskFolder.Read(_fixture.Folder["source"]).Count.ShouldBe(3);
    }

    private static bool IsOfThePack(DiskStep step) =>
        step.Action == DiskAction.Append && step.Path.EndsWith(".pack", StringComparison.Ordinal);

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
