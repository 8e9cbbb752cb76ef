using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>The progress of commands that know nothing of ActorTrainer, from their output.</summary>
[Trait("Lane", "Slow")]
public sealed class CommandProgressTests
{
    private static readonly RunKey Run = WorkerHarness.Key();

    [Fact]
    public async Task Output_WithSteps_IsToldWhileTheCommandRunsAndBeforeItsEnd()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell("echo 'step 10/100 loss 0.5'; while [ ! -e go ]; do sleep 0.05; done; printf 'step 100/100 loss 0.25'")
        );

        WorkerPrinted first = await harness.WaitAsync<WorkerPrinted>();
        first.Output.Step.ShouldBe(10);
        first.Output.TotalSteps.ShouldBe(100);
        first.Output.Guessed.ShouldBeTrue();
        first.Output.Metrics["loss"].ShouldBe(0.5);

        await File.WriteAllTextAsync(
            Path.Combine(harness.Directory, "runs", Run.Task.Value, "3-1", "work", "go"),
            "",
            CancellationToken.None
        );
        _ = await harness.WaitAsync<WorkerExited>();

        TaskInput[] inputs = [.. harness.Inputs];
        inputs.OfType<WorkerPrinted>().Last().Output.Step.ShouldBe(100);
        Array
            .FindLastIndex(inputs, input => input is WorkerPrinted)
            .ShouldBeLessThan(Array.FindIndex(inputs, input => input is WorkerExited));
    }

    [Fact]
    public async Task Save_AfterSteps_HasTheScriptsOwnBesideItsNumber()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; echo 'step 480/1000 loss 0.5'; while [ ! -e ../work/go ]; do sleep 0.05; done; "
                    + "for i in 1 2; do echo a$i > .new; mv .new model.pt; done; sleep 1000"
            )
        );
        _ = await harness.WaitAsync<WorkerPrinted>();
        await File.WriteAllTextAsync(
            Path.Combine(harness.Directory, "runs", Run.Task.Value, "3-1", "work", "go"),
            "",
            CancellationToken.None
        );

        StagedState state = (await harness.WaitAsync<WorkerStaged>()).State;

        state.Step.ShouldBe(1);
        state.Output!.Step.ShouldBe(480);
        state.Output.Guessed.ShouldBeTrue();
        state.Output.Metrics.ShouldBeEmpty();
    }

    [Fact]
    public async Task Output_WithPatternsOrOff_IsReadAsTheTaskSays()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        RunKey other = WorkerHarness.Key(task: "other-a1b2");
        TaskSpec spec = WorkerHarness.Shell("echo 'step 1/9 loss 1'; echo 'n=3 of 4'");
        harness.Start(other, spec with { Progress = new ProgressSpec { Off = true } });
        harness.Start(Run, spec with { Progress = new ProgressSpec { Patterns = [@"n=(?<step>\d+) of (?<total>\d+)"] } });

        WorkerPrinted printed = await harness.WaitAsync<WorkerPrinted>();
        _ = await harness.WaitAsync<WorkerExited>(exited => exited.Run == Run);
        _ = await harness.WaitAsync<WorkerExited>(exited => exited.Run == other);

        (printed.Output.Step, printed.Output.TotalSteps, printed.Output.Guessed).ShouldBe((3, 4, false));
        harness.Inputs.OfType<WorkerPrinted>().ShouldAllBe(input => input.Run == Run);
    }
}
