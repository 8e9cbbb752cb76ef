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
    [InlineData(CheckpointReasons.Files, true)]
    [InlineData(CheckpointReasons.Drain, false)]
    [InlineData(CheckpointReasons.Migration, false)]
    [InlineData(CheckpointReasons.Pause, false)]
    [InlineData(CheckpointReasons.Request, false)]
    [InlineData(CheckpointReasons.Final, false)]
    public void ThreadsFor_Reason_AreInTheBackgroundWhileTrainingGoesOn(string reason, bool background) =>
        FolderSave
            .ThreadsFor(new StagedState("s1", 1, 0, reason, new Dictionary<string, double>()))
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
