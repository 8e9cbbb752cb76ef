using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training.Tests;

public sealed class MemoryAreaTests
{
    private const long Large = 1L << 30;
    private const int MiB = 1 << 20;

    private static readonly byte[] Some = [.. Enumerable.Range(0, MiB).Select(i => (byte)((i * 7) | 1))];

    /// <summary>Some of it is copied into the mapping, the rest is written through the system, and one piece is half and half.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2 * MiB)]
    [InlineData((3 * MiB) + (MiB / 2))]
    [InlineData(8 * MiB)]
    public void Append_TouchedUpToSomewhere_HasAllBytes(int touched)
    {
        using TemporaryFolder folder = new(inMemory: true);
        string path = Empty(folder);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;
        area.Touch(touched, CancellationToken.None);
        area.Ready.ShouldBe(touched);

        for (int i = 0; i < 6; i++)
        {
            area.Append(Some).ShouldBe((long)i * MiB);
        }

        area.Used.ShouldBe(6 * MiB);
        RequireBytes(path, 6);
    }

    [Fact]
    public void Append_AgainAfterTouch_ReplacesWhatWasThere()
    {
        using TemporaryFolder folder = new(inMemory: true);
        string path = Empty(folder);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;
        area.Append(new byte[2 * MiB]);
        area.Touch(2 * MiB, CancellationToken.None);

        area.Reset();
        area.Append(Some);
        area.Append(Some);

        RequireBytes(path, 2);
    }

    [Fact]
    public void Touch_WhileAStateIsWritten_ChangesNoByte()
    {
        using TemporaryFolder folder = new(inMemory: true);
        string path = Empty(folder);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;
        Thread touching = new(() => area.Touch(64L * MiB, CancellationToken.None));
        touching.Start();
        for (int i = 0; i < 48; i++)
        {
            area.Append(Some).ShouldBe((long)i * MiB);
        }

        touching.Join();
        RequireBytes(path, 48);
        new FileInfo(path).Length.ShouldBe(64L * MiB);
        area.Ready.ShouldBe(64L * MiB);
    }

    /// <summary>The node has given the area to a task while it was still touched, and reads a checkpoint into it.</summary>
    [Fact]
    public async Task Touch_WhileAnotherWritesTheFile_ChangesNoByte()
    {
        using TemporaryFolder folder = new(inMemory: true);
        for (int round = 0; round < 20; round++)
        {
            string path = Empty(folder);
            using MemoryArea area = MemoryArea.TryOpen(path, Large)!;
            using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            Task touching = Task.Run(() => area.Touch(16L * MiB, CancellationToken.None));
            for (int part = 0; part < 8; part++)
            {
                await file.WriteAsync(Some);
            }

            await touching;
            RequireBytes(path, 8);
        }
    }

    [Fact]
    public void Touch_OfAnAreaInMemory_MakesRoomAndEndsAtItsLimit()
    {
        using TemporaryFolder folder = new(inMemory: true);
        string path = Empty(folder);
        using MemoryArea area = MemoryArea.TryOpen(path, limit: (5 * MiB) + 1)!;

        area.Touch(1L << 40, CancellationToken.None);

        new FileInfo(path).Length.ShouldBe((5 * MiB) + 1);
        area.Ready.ShouldBe((5 * MiB) + 1);
        area.Append([1, 2, 3]).ShouldBe(0);
        Should.Throw<MemoryAreaFullException>(() => area.Append(new byte[5 * MiB]));
    }

    [Fact]
    public void Touch_WhenEnded_TouchesNothingMore()
    {
        using TemporaryFolder folder = new(inMemory: true);
        string path = Empty(folder);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;

        area.Touch(Large, new CancellationToken(canceled: true));

        new FileInfo(path).Length.ShouldBe(0);
        area.Ready.ShouldBe(0);
    }

    /// <summary>A copy into a page for which the system has no memory would end this process.</summary>
    [Fact]
    public void Append_WhereTheSystemHasNoMemory_FailsAndNothingElseDoes()
    {
        using TemporaryFolder folder = new();
        using SmallDisk? small = SmallDisk.TryMount(folder.Combine("small"), "8m");
        Assert.SkipWhen(small is null, "mounting is not allowed here");
        string path = Path.Combine(small!.Root, "area");
        File.WriteAllBytes(path, []);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;

        area.Touch(64L * MiB, CancellationToken.None);

        area.Ready.ShouldBeInRange(4 * MiB, 8 * MiB);
        for (int i = 0; i < 4; i++)
        {
            area.Append(Some);
        }

        Should.Throw<MemoryAreaFullException>(() => area.Append(new byte[5 * MiB]));
        RequireBytes(path, 4);
    }

    /// <summary>The node has read a checkpoint into an area after the worker opened it.</summary>
    [Fact]
    public void Append_ToAnAreaThatAnotherMadeLonger_DoesNotCutIt()
    {
        using TemporaryFolder folder = new();
        string path = Empty(folder);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.SetLength(100L * MiB);

        area.Append([1, 2, 3]).ShouldBe(0);
        area.Touch(MiB, CancellationToken.None);

        file.Length.ShouldBe(100L * MiB);
    }

    [Fact]
    public void Dispose_WhileItIsTouchedAndWritten_EndsBoth()
    {
        using TemporaryFolder folder = new(inMemory: true);
        MemoryArea area = MemoryArea.TryOpen(Empty(folder), Large)!;
        area.Touch(MiB, CancellationToken.None);
        Thread touching = new(() => area.Touch(256L * MiB, CancellationToken.None));
        touching.Start();

        area.Dispose();

        touching.Join();
        Should.Throw<ObjectDisposedException>(() => area.Append(Some));
        area.Reset();
        Should.Throw<ObjectDisposedException>(() => area.Append(new byte[300 * MiB]));
    }

    private static string Empty(TemporaryFolder folder)
    {
        string path = folder.Combine("area");
        File.WriteAllBytes(path, []);
        return path;
    }

    private static void RequireBytes(string path, int times)
    {
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] read = new byte[MiB];
        for (int i = 0; i < times; i++)
        {
            file.ReadExactly(read);
            read.AsSpan().SequenceEqual(Some).ShouldBeTrue($"MiB {i}");
        }
    }
}
