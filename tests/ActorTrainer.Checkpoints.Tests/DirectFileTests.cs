using System.Diagnostics;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>Large files that are written and read past what the system keeps in memory of files.</summary>
public sealed class DirectFileTests : IDisposable
{
    private const int Piece = AlignedMemory.Size;

    private readonly TemporaryFolder _folder = new();

    /// <summary>Whether the temporary folder is on a disk of the kind; elsewhere files are as any other, and all else holds.</summary>
    private bool IsOnLocalDisk =>
        OperatingSystem.IsLinux() && new DriveInfo(_folder["."]).DriveFormat is "ext4" or "xfs" or "ext3" or "ext2";

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(4095, 1000)]
    [InlineData(4096, 4096)]
    [InlineData(Piece, Piece)]
    [InlineData((3 * Piece) + 1, 1_000_003)]
    [InlineData((5 * Piece) - 4097, (2 * Piece) + 17)]
    public void Append_AnyPieces_AreTheFile(int length, int at)
    {
        byte[] bytes = Bytes(length);
        string path = _folder["file"];
        using (IDiskFile file = RealDisk.Instance.Create(path, expected: DirectAccess.From))
        {
            for (int from = 0; from < length; from += at)
            {
                file.Append(bytes.AsSpan(from, Math.Min(at, length - from)));
            }

            file.Sync();
            file.Length.ShouldBe(length);
            (file is DirectFile).ShouldBe(IsOnLocalDisk);
        }

        File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
    }

    [Fact]
    public void Append_AfterASync_GoesOn()
    {
        byte[] bytes = Bytes(Piece + 5000);
        string path = _folder["file"];
        using (IDiskFile file = RealDisk.Instance.Create(path, expected: DirectAccess.From))
        {
            file.Append(bytes.AsSpan(0, 1001));
            file.Sync();
            file.Length.ShouldBe(1001);
            file.Append(bytes.AsSpan(1001));
            file.Sync();
        }

        File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
    }

    [Fact]
    public void TryTake_FileThatCannotBeWritten_LeavesItAsItIs()
    {
        string path = _folder["file"];
        File.WriteAllBytes(path, [1, 2, 3]);
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read);

        DirectFile.TryTake(file).ShouldBeNull();

        byte[] read = new byte[3];
        RandomAccess.Read(file, read, 0).ShouldBe(3, "it is read as any other again: this memory is nowhere aligned");
        read.ShouldBe([1, 2, 3]);
    }

    [Fact]
    public void Dispose_BeforeAllIsWritten_EndsQuietly()
    {
        IDiskFile file = RealDisk.Instance.Create(_folder["file"], expected: DirectAccess.From);
        file.Append(Bytes((2 * Piece) + 1));

        file.Dispose();

        new FileInfo(_folder["file"]).Length.ShouldBeLessThanOrEqualTo(2 * Piece);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_AtAnyPlace_GivesWhatStandsThere(bool cached)
    {
        byte[] bytes = Bytes((2 * Piece) + 1234);
        string path = _folder["pack"];
        using (IDiskFile file = RealDisk.Instance.Create(path, expected: DirectAccess.From))
        {
            file.Append(bytes);
            file.Sync();
        }

        if (cached)
        {
            _ = File.ReadAllBytes(path);
        }

        using FolderPack pack = FolderPack.Open(path, directFrom: 1);
        foreach (
            (int offset, int length) in new[] { (0, 16), (4095, 2), (1, Piece), (Piece - 1, Piece + 9), (bytes.Length - 1, 1), (777, 4096) }
        )
        {
            byte[] read = new byte[length];
            for (int done = 0; done < length; )
            {
                int count = pack.Read(offset + done, read.AsMemory(done), CancellationToken.None);
                count.ShouldBeGreaterThan(0);
                done += count;
            }

            read.AsSpan().SequenceEqual(bytes.AsSpan(offset, length)).ShouldBeTrue($"{length} bytes at {offset}");
        }

        pack.Read(bytes.Length - 10, new byte[100], CancellationToken.None).ShouldBe(10);
        pack.Read(bytes.Length, new byte[100], CancellationToken.None).ShouldBe(0);
        pack.Read(bytes.Length + 10_000, new byte[100], CancellationToken.None).ShouldBe(0);
    }

    /// <summary>Past the system's memory, the disk's error comes later, from another thread.</summary>
    [Fact]
    public async Task Save_LargeStateOnAFullDisk_SaysSoAndLeavesNothing()
    {
        using LoopDisk? disk = LoopDisk.TryMount(_folder["image"], mebibytes: 24);
        Assert.SkipWhen(disk is null, "a full disk is made by mounting one, which this user may not");
        using SaveFixture fixture = new(Path.Combine(disk!.Root, "store"));
        FolderStore store = fixture.OpenUncompressed();
        fixture.Write(("small", fixture.Noise(1000)));
        CheckpointRef first = await fixture.SaveAsync(store);
        fixture.Write(("large", Bytes(40 << 20)));

        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => fixture.SaveAsync(store, first));

        e.Message.ShouldContain("no space is left");
        (await store.ListFilesAsync(fixture.Task, CancellationToken.None)).Count.ShouldBe(2, "those of the first one");
        fixture.Write(("large", Bytes(8 << 20)));
        CheckpointRef next = await fixture.SaveAsync(store, first);
        (await store.VerifyAsync(fixture.Task, next, CancellationToken.None)).ShouldBeGreaterThan(8 << 20);
    }

    [Fact]
    public async Task Save_LargeState_IsRestoredBitForBit()
    {
        using SaveFixture fixture = new();
        FolderStore store = fixture.OpenUncompressed();
        byte[] bytes = Bytes((int)DirectAccess.From + 12_345);
        fixture.Write(("large", bytes));

        CheckpointRef saved = await fixture.SaveAsync(store);

        await store.RestoreAsync(fixture.Task, saved, fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(fixture.Folder["restored"])["large"].AsSpan().SequenceEqual(bytes).ShouldBeTrue();
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A small ext4 in a file; there is one when the test runs as root and may mount.</summary>
    private sealed class LoopDisk : IDisposable
    {
        private LoopDisk(string root) => Root = root;

        public string Root { get; }

        public static LoopDisk? TryMount(string image, int mebibytes)
        {
            if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            {
                return null;
            }

            string root = Directory.CreateDirectory(image + ".mounted").FullName;
            using (FileStream file = File.Create(image))
            {
                file.SetLength((long)mebibytes << 20);
            }

            return Run("mkfs.ext4", "-q", "-m", "0", image) && Run("mount", "-o", "loop", image, root) ? new LoopDisk(root) : null;
        }

        public void Dispose() => Run("umount", Root).ShouldBeTrue();

        private static bool Run(string program, params string[] arguments)
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
                _ = process.StandardError.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}
