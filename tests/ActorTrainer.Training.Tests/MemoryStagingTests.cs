using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Storage;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Training.Tests;

/// <summary>States that a worker leaves in memory that its node shares with it.</summary>
public sealed class MemoryStagingTests
{
    private const long Large = 1L << 30;
    private static readonly CheckpointSpec EachEpoch = new() { Strategy = CheckpointStrategy.Epoch, EpochInterval = 1 };

    [Fact]
    public async Task RunAsync_WithMemory_StagesTheSameBytesAsInFiles()
    {
        RehearsalTrainer trainer = new();
        await using FakeNode node = new(trainer);
        StagingMemory memory = node.Memory(Large);
        await node.BeginAsync(EachEpoch, memory: memory);

        StagedMessage staged = await node.ExpectAsync<StagedMessage>();

        staged.Area.ShouldBe(0);
        Directory.GetFileSystemEntries(node.StagingDirectory).ShouldBeEmpty();
        using TemporaryFolder folder = new();
        RehearsalTrainer same = new();
        await same.InitializeAsync(new TrainerContext("task-a", node.RunDirectory, null), CancellationToken.None);
        for (long step = 0; step < staged.Step; step++)
        {
            _ = await same.StepAsync(CancellationToken.None);
        }

        using (CheckpointWriter writer = new(folder.Combine("state")))
        {
            await same.SaveAsync(writer, CancellationToken.None);
            writer.Complete();
        }

        string[] expected =
        [
            .. Directory
                .GetFiles(folder.Combine("state"), "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(folder.Combine("state"), path))
                .Order(StringComparer.Ordinal),
        ];
        staged.Files!.Select(file => file.Path).Order(StringComparer.Ordinal).ShouldBe(expected);
        using MemoryFiles inMemory = new(new MemoryState(memory.Areas[0], staged.Files!));
        foreach (string path in expected)
        {
            using Stream stream = inMemory.Open(path).AsStream();
            using MemoryStream bytes = new();
            await stream.CopyToAsync(bytes);
            bytes.ToArray().ShouldBe(await File.ReadAllBytesAsync(Path.Combine(folder.Combine("state"), path)), path);
        }
    }

    [Fact]
    public async Task RunAsync_NoAreaReleased_WaitsThoughStatesAreStored()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch, memory: node.Memory(Large, areas: 2));
        trainer.Allow(2);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        StagedMessage second = await node.ExpectAsync<StagedMessage>();
        new[] { first.Area, second.Area }.ShouldBe([0, 1]);

        await node.SendAsync(new ReleasedMessage(first.Id));
        trainer.Allow(2);
        while ((await node.ExpectAsync<ProgressMessage>()).Step < 4) { }

        node.Received.OfType<StagedMessage>().Count().ShouldBe(2, "both areas are held");
        await node.SendAsync(new ReleasedMessage(second.Id) { Area = 0 });
        trainer.Allow(2);
        (await node.ExpectAsync<StagedMessage>()).Area.ShouldBe(0);
    }

    [Fact]
    public async Task RunAsync_AreasHeldFromTheRunBefore_AreLeftAlone()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        StagingMemory memory = node.Memory(Large, 3, 0, 2);
        await File.WriteAllBytesAsync(memory.Areas[0], [1, 2, 3]);
        await node.BeginAsync(EachEpoch, memory: memory);
        trainer.Allow(1);

        (await node.ExpectAsync<StagedMessage>()).Area.ShouldBe(1);
        (await File.ReadAllBytesAsync(memory.Areas[0])).Take(3).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task RunAsync_StateLargerThanTheMemory_GoesThroughFiles()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch, memory: node.Memory(1000));
        trainer.Allow(1);

        StagedMessage staged = await node.ExpectAsync<StagedMessage>();

        staged.Area.ShouldBeNull();
        Directory.GetDirectories(node.StagingDirectory).ShouldBe([Path.Combine(node.StagingDirectory, staged.Id)]);
        node.Received.OfType<StageFailedMessage>().ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_MemoryThatCannotBeOpened_GoesThroughFiles()
    {
        SteppedTrainer trainer = new(stepsPerEpoch: 1);
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch, memory: new StagingMemory(["/proc/1/fd/none", "/proc/1/fd/none"], Large, []));
        trainer.Allow(1);

        (await node.ExpectAsync<StagedMessage>()).Area.ShouldBeNull();
    }

    [Fact]
    public async Task RunAsync_RestoredFromMemory_LoadsWhatWasStagedBitForBit()
    {
        SteppedTrainer first = new(stepsPerEpoch: 7);
        await using FakeNode before = new(first);
        StagingMemory memory = before.Memory(Large);
        await before.BeginAsync(EachEpoch, memory: memory);
        first.Allow(7);
        StagedMessage staged = await before.ExpectAsync<StagedMessage>();

        SteppedTrainer second = new();
        await using FakeNode after = new(second);
        await after.BeginAsync(restore: true, state: new MemoryState(memory.Areas[staged.Area!.Value], staged.Files!));
        await after.SendAsync(new StopMessage());
        await after.ExpectAsync<StoppedMessage>();

        second.Step.ShouldBe(7);
        second.State.ToArray().ShouldBe(first.State.ToArray());
    }

    [Fact]
    public void Create_TwoEntriesByteByByteInTurns_HaveTheirBytes()
    {
        using TemporaryFolder folder = new();
        string path = folder.Combine("area");
        File.WriteAllBytes(path, []);
        using MemoryArea area = MemoryArea.TryOpen(path, Large)!;
        MemoryTarget target = new(area);
        Stream second = target.Create("second"); // which its trainer forgets to close
        using (Stream first = target.Create("first"))
        {
            for (int i = 0; i < 150_000; i++)
            {
                first.WriteByte((byte)i);
                second.WriteByte((byte)(i * 3));
            }

            first.Write(new byte[100_000]);
            first.Position.ShouldBe(250_000);
        }

        using MemoryFiles files = new(new MemoryState(path, target.Files));
        byte[] read = new byte[250_000];
        using StateContent one = files.Open("first");
        one.Read(read, 0);
        read.Take(150_000).ShouldBe(Enumerable.Range(0, 150_000).Select(i => (byte)i));
        read.Skip(150_000).ShouldAllBe(value => value == 0);
        using StateContent other = files.Open("second");
        other.Length.ShouldBe(150_000);
        other.Read(read.AsSpan(0, 150_000), 0);
        read.Take(150_000).ShouldBe(Enumerable.Range(0, 150_000).Select(i => (byte)(i * 3)));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 5)]
    [InlineData(5, 1)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(1, -1)]
    public void MemoryFiles_OutsideOfTheMemory_AreRefused(long offset, long length)
    {
        using TemporaryFolder folder = new();
        string path = folder.Combine("area");
        File.WriteAllBytes(path, [1, 2, 3, 4]);

        Should.Throw<InvalidDataException>(() => new MemoryFiles(new MemoryState(path, [new StagedFile("a", [offset, length])])));
    }
}
