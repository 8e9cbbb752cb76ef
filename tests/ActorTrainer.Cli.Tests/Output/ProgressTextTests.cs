using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Tests.Output;

public sealed class ProgressTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 14, 15, 9, 26, TimeSpan.Zero);

    [Theory]
    [InlineData(true, "save 12, ~step 4800/10000 48%", "~48%", "~loss=0.31 ~val_loss=0.4 ~acc=0.9")]
    [InlineData(false, "save 12, step 4800/10000 48%", "48%", "loss=0.31 val_loss=0.4 acc=0.9")]
    public void Guessed_IsMarkedWhereverItIsShown(bool guessed, string steps, string done, string metrics)
    {
        TaskView task = View(
            new OutputProgress
            {
                Step = 4_800,
                TotalSteps = 10_000,
                Metrics = Metrics,
                Guessed = guessed,
            }
        );

        ProgressText.Steps(task.Progress).ShouldBe(steps);
        ProgressText.Done(task).ShouldBe(done);
        ProgressText.Metrics(task.Progress).ShouldBe(metrics);
        ProgressText.Left(task).ShouldBe("~6m 20s");
        EventText.Details(new TaskProgressed(task.Progress)).ShouldBe($"{steps}, {metrics}");
        ProgressText
            .Line(task, new Times(Now, Utc: true), 120)
            .ShouldBe($"digits: {steps}, ~6m 20s left, {metrics}, saved 40s ago (11 MiB)");
        ProgressText
            .Line(task, new Times(Now, Utc: false), 70)
            .ShouldBe($"digits: {steps}, ~6m 20s left,\n  {metrics}, saved 40s ago (11 MiB)");
    }

    [Fact]
    public void StepsOfAnEpoch_TellNoShareOfTheWhole()
    {
        TaskView task = View(
            new OutputProgress
            {
                Step = 375,
                TotalSteps = 1_000,
                OfEpoch = true,
                Epoch = 3,
                TotalEpochs = 10,
                Guessed = true,
            }
        );

        ProgressText.Steps(task.Progress).ShouldBe("save 12, ~step 375/1000 of an epoch");
        ProgressText.Share(task.Progress).ShouldBeNull();
        ProgressText.Done(task).ShouldBe("~step 375");
        ProgressText.Epoch(task.Progress).ShouldBe("~epoch 3/10");
    }

    /// <summary>What counts its saves is not called a step.</summary>
    [Fact]
    public void Steps_OfAScriptThatSaysNothing_AreItsSaves()
    {
        TaskView task = View(null);
        task = task with { Progress = task.Progress with { TotalSteps = null } };

        ProgressText.Steps(task).ShouldBe("save 12");
        ProgressText.Done(task).ShouldBe("save 12");
        ProgressText.Line(task, new Times(Now, Utc: true), 120).ShouldStartWith("digits: save 12, ");
    }

    [Fact]
    public void Checkpoint_OfACommand_HasTheScriptsOwnStepBesideItsNumber()
    {
        CheckpointRef checkpoint = View(null).LastCheckpoint! with
        {
            Output = new OutputProgress { Step = 4_750, Guessed = true },
        };

        ProgressText.StepOf(checkpoint).ShouldBe("save 12 (~step 4750)");
        ProgressText.StepOf(checkpoint with { Output = null }).ShouldBe("save 12");
    }

    [Fact]
    public void LastLines_WithWhatATerminalWouldObey_ArePlainAndBounded()
    {
        string[] lines = ["\e[31mred\e[0m\a", "", "a\tb", new string('x', 400), "last"];
        Failure failure = new("exit-code", "exit code 1", 1, null, lines);

        LastLinesText.Of(failure, 3).ShouldBe($"| a  b\n| {new string('x', 159)}…\n| last");
        LastLinesText.Of(failure, 9).ShouldStartWith("| red\n| a  b\n");
        LastLinesText.Of((Failure?)null, 9).ShouldBe("");
    }

    private static Dictionary<string, double> Metrics =>
        new()
        {
            ["acc"] = 0.9,
            ["val_loss"] = 0.4,
            ["loss"] = 0.31,
        };

    private static TaskView View(OutputProgress? output) =>
        new(
            TaskId.Parse("digits-k3f9"),
            "digits",
            TaskStatus.Running,
            false,
            "",
            0,
            1,
            3,
            null,
            new TaskProgress(12, null, 0, new Dictionary<string, double>()) { Output = output, Remaining = TimeSpan.FromSeconds(380) },
            false,
            1,
            0,
            new CheckpointRef("c-1-12-x7q2", 12, 0, "files", 11 << 20, 1, [], "", new Dictionary<string, double>()),
            false,
            null,
            Now,
            Now
        )
        {
            LastCheckpointAt = Now - TimeSpan.FromSeconds(40),
        };
}
