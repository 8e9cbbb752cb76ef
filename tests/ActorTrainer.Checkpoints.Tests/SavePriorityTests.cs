using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>A save that nobody waits for takes no processor that training needs.</summary>
public sealed class SavePriorityTests
{
    [Theory]
    [InlineData(CheckpointReasons.Interval, true)]
    [InlineData(CheckpointReasons.Adaptive, true)]
    [InlineData(CheckpointReasons.Epoch, true)]
    [InlineData(CheckpointReasons.Best, true)]
    [InlineData(CheckpointReasons.Files, false)]
    [InlineData(CheckpointReasons.Drain, false)]
    [InlineData(CheckpointReasons.Migration, false)]
    [InlineData(CheckpointReasons.Pause, false)]
    [InlineData(CheckpointReasons.Request, false)]
    [InlineData(CheckpointReasons.Final, false)]
    public void ThreadsFor_Reason_AreInTheBackgroundWhileTrainingGoesOn(string reason, bool background) =>
        FolderSave
            .ThreadsFor(new FolderFiles(new FolderLayout("/none")), new StagedState("s1", 1, 0, reason, new Dictionary<string, double>()))
            .ShouldBe(background ? OwnThreads.Background : OwnThreads.Instance);

    [Fact]
    public async Task Background_Threads_AreTheNicest()
    {
        if (OperatingSystem.IsLinux())
        {
            (await NiceAsync(OwnThreads.Background)).ShouldBe(19);
        }

        (await NiceAsync(OwnThreads.Instance)).ShouldBe(await NiceAsync(TaskScheduler.Default), "the others keep theirs");
    }

    /// <summary>
    /// A thread has the priority of the one that started it, and who queues to the thread pool starts its threads: a save that did so would
    /// take the priority of everything that this process does later, heartbeats first.
    /// </summary>
    [Fact]
    public async Task Save_InTheBackground_LeavesTheThreadPoolItsPriority()
    {
        int before = await NiceAsync(TaskScheduler.Default);
        using SaveFixture fixture = new();
        FolderStore store = fixture.OpenUncompressed();
        byte[] bytes = new byte[40 << 20];
        new Random(1).NextBytes(bytes);
        fixture.Write(("large", bytes));
        SaveRequest request = fixture.Request(fixture.NewName());
        _ = await store.SaveAsync(
            request with
            {
                State = request.State with { Reason = CheckpointReasons.Interval },
            },
            CancellationToken.None
        );

        int[] after = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => NiceAsync(TaskScheduler.Default)));

        after.ShouldAllBe(nice => nice == before);
        (await NiceAsync(OwnThreads.Instance)).ShouldBe(before);
    }

    /// <summary>The nineteenth field of a thread's state, of which the second may have blanks.</summary>
    private static Task<int> NiceAsync(TaskScheduler threads) =>
        Task.Factory.StartNew(
            () =>
            {
                if (!OperatingSystem.IsLinux())
                {
                    return 0;
                }

                string stat = File.ReadAllText("/proc/thread-self/stat");
                return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], System.Globalization.CultureInfo.InvariantCulture);
            },
            CancellationToken.None,
            TaskCreationOptions.None,
            threads
        );
}
