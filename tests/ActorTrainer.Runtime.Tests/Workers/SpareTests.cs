using System.Diagnostics;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Guard;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A run on a spare process is like one on a process of its own, whatever happens to it.</summary>
public sealed class SpareTests(ITestOutputHelper output)
{
    private static readonly RunKey Run = WorkerHarness.Key();
    private static readonly WorkerModel Cold = new() { WarmDotnet = 0 };

    [Fact]
    public async Task Start_WithASpare_GivesItEverythingThatAProcessOfItsOwnHas()
    {
        await using WorkerHarness cold = await WorkerHarness.StartAsync(Cold, program: "real");
        await using WorkerHarness warm = await WorkerHarness.StartAsync(program: "real");
        TaskSpec spec = WorkerHarness.Probe(
            environment: new Dictionary<string, string>
            {
                ["OF_THE_TASK"] = "a b",
                ["PATH"] = "/usr/bin:/bin",
                ["EMPTY"] = "",
            }
        );
        int spare = await SpareAsync(warm);

        cold.Start(Run, spec, hasRestore: true);
        WorkerExited expected = await TrainAsync(cold, Run);
        warm.Start(Run, spec, hasRestore: true);
        WorkerExited exited = await TrainAsync(warm, Run);

        (await warm.WaitAsync<WorkerStarted>()).Pid.ShouldBe(spare);
        exited.ExitCode.ShouldBe(0);
        string printed = Printed(warm, Run);
        printed.ShouldBe(Printed(cold, Run).Replace(cold.Directory, warm.Directory, StringComparison.Ordinal));
        printed.ShouldStartWith("task task-a1b2 in " + warm.Directory);
        printed.ShouldContain("managed OF_THE_TASK=a b\nnative OF_THE_TASK=a b\n");
        printed.ShouldContain("native ACTORTRAINER_RUN=task-a1b2/3-1\n");
        printed.ShouldContain($"native ACTORTRAINER_RESTORE_DIR={warm.Host.RestoreDirectory(Run)}\n");
        exited.LastLines.Count.ShouldBe(expected.LastLines.Count);
        Types(warm).ShouldBe(Types(cold));
    }

    [Fact]
    public async Task Output_OfTheProgramBeforeTheRun_IsNotTheRuns()
    {
        await using WorkerHarness cold = await WorkerHarness.StartAsync(Cold, program: "loud");
        cold.Start(Run, WorkerHarness.Probe());
        _ = await TrainAsync(cold, Run);
        Printed(cold, Run).ShouldStartWith("a banner of the program\ntask task-a1b2");

        await using WorkerHarness warm = await WorkerHarness.StartAsync(program: "loud");
        _ = await SpareAsync(warm);
        warm.Start(Run, WorkerHarness.Probe());
        _ = await TrainAsync(warm, Run);
        Printed(warm, Run).ShouldStartWith("task task-a1b2");
        Printed(warm, Run).ShouldNotContain("banner");
    }

    [Theory]
    [InlineData("""{ "exit": 7 }""", 7, null)]
    [InlineData("""{ "crash": true }""", null, 9)]
    public async Task End_OfARunOnASpare_IsToldAsItWas(string settings, int? exitCode, int? signal)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        int spare = await SpareAsync(harness);
        harness.Start(Run, WorkerHarness.Probe(settings));
        WorkerExited exited = await TrainAsync(harness, Run);
        (await harness.WaitAsync<WorkerStarted>()).Pid.ShouldBe(spare);
        exited.ExitCode.ShouldBe(exitCode);
        exited.Signal.ShouldBe(signal);
        harness.Inputs.Count(input => input is WorkerExited).ShouldBe(1);
    }

    [Fact]
    public async Task Stop_WithDescendants_EndsAllOfThemAndNotTheNextSpare()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        string seconds = WorkerHarness.UniqueSeconds();
        int spare = await SpareAsync(harness);
        harness.Start(Run, WorkerHarness.Probe($$"""{ "child": "{{seconds}}", "endless": true }"""));
        await BeginAsync(harness, Run);
        int next = await SpareAsync(harness, other: spare);
        WorkerHarness.ProcessesWith(seconds).Count.ShouldBe(2);

        harness.Host.Stop(new StopWorker(Run, TimeSpan.FromSeconds(20)));
        (await harness.WaitAsync<WorkerExited>()).ExitCode.ShouldBe(0);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
        harness.Host.ReadySpares.ShouldBe([next]);
    }

    [Fact]
    public async Task Nice_AfterTheFirstStep_IsAdded()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(new WorkerModel { Nice = 7 }, program: "real");
        int spare = await SpareAsync(harness);
        int before = WorkerHarness.NiceOf(harness.Host.GuardPid);
        WorkerHarness.NiceOf(spare).ShouldBe(before);
        harness.Start(Run, WorkerHarness.Probe("""{ "endless": true }"""));
        await BeginAsync(harness, Run);
        await WorkerHarness.UntilAsync(() => WorkerHarness.NiceOf(spare) == Math.Min(19, before + 7), "the run gives way");
    }

    [Fact]
    public async Task Stop_AtAnyMoment_EndsTheRunAndLeavesTheHostSound()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(new WorkerModel { WarmDotnet = 2 }, program: "real");
        for (int i = 1; i <= 8; i++)
        {
            _ = await SpareAsync(harness);
            RunKey key = WorkerHarness.Key(i);
            harness.Start(key, WorkerHarness.Probe("""{ "endless": true }"""));
            // From before anything was prepared to some way into the start.
            await Task.Delay(TimeSpan.FromMilliseconds(2 * (i - 1)), TimeProvider.System);
            harness.Host.Stop(new StopWorker(key, TimeSpan.FromMilliseconds(i % 2 == 0 ? 0 : 5000)));
            _ = await harness.WaitAsync<WorkerExited>(exited => exited.Run == key);
        }

        await WorkerHarness.UntilAsync(() => harness.Host.ReadySpares.Count == 2, "spares stand again");
        ProcessesOf(harness).Order().ShouldBe([.. harness.Host.ReadySpares.Append(harness.Host.GuardPid).Order()]);
        harness.Inputs.Count(input => input is WorkerExited).ShouldBe(8);
        harness.Inputs.ShouldNotContain(input => input is WorkerLost || input is WorkerStartFailed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Spare_KilledOrStoppedAsTheRunStarts_CostsTheRunNothing(bool stopped)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        int spare = await SpareAsync(harness);
        if (stopped)
        {
            await WorkerHarness.SuspendAsync(spare);
        }
        else
        {
            _ = Posix.Kill(spare, Posix.SignalKill);
        }

        harness.Start(Run, WorkerHarness.Probe());
        await ShouldTrainOnAnotherAsync(harness, spare);
    }

    [Fact]
    public async Task Spare_ThatAnswersAfterItWasGivenUp_CostsTheRunNothing()
    {
        SpareAnswerTime time = new();
        await using WorkerHarness harness = await WorkerHarness.StartAsync(
            selfFenceAfter: TimeSpan.FromMinutes(5),
            program: "real",
            time: time
        );
        int spare = await SpareAsync(harness);
        await WorkerHarness.SuspendAsync(spare);
        harness.Start(Run, WorkerHarness.Probe());
        await time.Waits.WaitAsync(WorkerHarness.Patience);
        int guard = harness.Host.GuardPid;
        await WorkerHarness.SuspendAsync(guard);
        time.Advance(WorkerHost.SpareAnswerLimit);

        _ = Posix.Kill(spare, Posix.SignalContinue);
        await WorkerHarness.UntilAsync(
            () => harness.Inputs.OfType<WorkerReady>().Any() || WorkerHarness.StateOf(spare) == 'Z',
            "the spare has answered, or found nobody who would hear it"
        );
        _ = Posix.Kill(guard, Posix.SignalContinue);

        await ShouldTrainOnAnotherAsync(harness, spare);
    }

    private static async Task ShouldTrainOnAnotherAsync(WorkerHarness harness, int spare)
    {
        WorkerExited exited = await TrainAsync(harness, Run);
        exited.ExitCode.ShouldBe(0);
        (await harness.WaitAsync<WorkerStarted>()).Pid.ShouldNotBe(spare);
        Types(harness).Count(type => type is nameof(WorkerStarted) or nameof(WorkerExited)).ShouldBe(2);
        Printed(harness, Run).ShouldStartWith("task task-a1b2");
    }

    /// <summary>Time that stands until it is moved, and tells when a spare's answer is waited for.</summary>
    private sealed class SpareAnswerTime : FakeTimeProvider
    {
        private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Waits => _waits.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == WorkerHost.SpareAnswerLimit)
            {
                _ = _waits.TrySetResult();
            }

            return timer;
        }
    }

    [Fact]
    public async Task Spare_ThatDies_IsReplacedAndNobodyIsTold()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        int spare = await SpareAsync(harness);
        _ = Posix.Kill(spare, Posix.SignalKill);
        _ = await SpareAsync(harness, other: spare);
        harness.Inputs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Spares_ThatDoNotComeUp_AreStartedLessAndLessOften()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "broken");
        Stopwatch watch = Stopwatch.StartNew();
        // The pauses are 1 s and 2 s; the first start may lie before the watch's.
        await WorkerHarness.UntilAsync(() => harness.Host.SparesStarted == 3, "the third start");
        watch.Elapsed.ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
        (await harness.RunAsync("exit 4")).ExitCode.ShouldBe(4);
        Directory.Exists(Path.Combine(harness.Directory, "spares", "spare-1")).ShouldBeFalse();
    }

    [Fact]
    public async Task Program_ThatKnowsNoSpares_IsAskedOnceAndRunsAsBefore()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        await WorkerHarness.UntilAsync(() => harness.Host.SparesStarted == 1, "it was asked");
        harness.Start(Run, WorkerHarness.Trainer("throw"));
        (await harness.WaitAsync<WorkerExited>()).Error.ShouldBe("System.InvalidOperationException: no data");
        await WorkerHarness.UntilAsync(() => ProcessesOf(harness).Count == 1, "only the guard stands");
        harness.Host.SparesStarted.ShouldBe(1);
        harness.Host.ReadySpares.ShouldBeEmpty();
    }

    [Fact]
    public async Task Start_WithVariablesThatAreReadAtTheStart_IsOne()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        int spare = await SpareAsync(harness);
        harness.Start(Run, WorkerHarness.Probe(environment: new Dictionary<string, string> { ["DOTNET_gcServer"] = "0" }));
        _ = await TrainAsync(harness, Run);
        (await harness.WaitAsync<WorkerStarted>()).Pid.ShouldNotBe(spare);
        Printed(harness, Run).ShouldContain("native DOTNET_gcServer=0\n");
        harness.Host.ReadySpares.ShouldBe([spare]);
    }

    [Fact]
    public async Task Guard_KilledWithARunOnASpare_LosesItAndSparesStandAgain()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        string seconds = WorkerHarness.UniqueSeconds();
        int spare = await SpareAsync(harness);
        harness.Start(Run, WorkerHarness.Probe($$"""{ "child": "{{seconds}}", "endless": true }"""));
        await BeginAsync(harness, Run);
        int next = await SpareAsync(harness, other: spare);

        _ = Posix.Kill(harness.Host.GuardPid, Posix.SignalKill);
        (await harness.WaitAsync<WorkerLost>()).Run.ShouldBe(Run);
        ProcessTable.ReadOne(spare).ShouldBeNull();
        ProcessTable.ReadOne(next).ShouldBeNull();
        int third = await SpareAsync(harness, other: next);
        harness.Start(WorkerHarness.Key(2), WorkerHarness.Probe());
        (await TrainAsync(harness, WorkerHarness.Key(2))).ExitCode.ShouldBe(0);
        harness.Inputs.OfType<WorkerStarted>().Last().Pid.ShouldBe(third);
        harness.Inputs.OfType<WorkerExited>().ShouldHaveSingleItem().Run.Run.ShouldBe(2);
    }

    [Fact]
    public async Task Command_BesideASpare_LosesItsDescendantsWhateverTheyHide()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        _ = await SpareAsync(harness);
        string seconds = WorkerHarness.UniqueSeconds();
        _ = await harness.RunAsync($"(env -i setsid sleep {seconds} &); sleep 0.1");
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task StopAll_WithASpare_ReturnsAndDisposeEndsIt()
    {
        WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        int spare = await SpareAsync(harness);
        await harness.Host.StopAllAsync(TimeSpan.Zero, CancellationToken.None).WaitAsync(WorkerHarness.Patience);
        harness.Host.ReadySpares.ShouldBe([spare]);
        await harness.DisposeAsync();
        ProcessTable.ReadOne(spare).ShouldBeNull();
    }

    [Fact]
    public async Task Spare_NotWanted_IsNotStarted()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(Cold, program: "real");
        harness.Start(Run, WorkerHarness.Probe());
        (await TrainAsync(harness, Run)).ExitCode.ShouldBe(0);
        harness.Host.SparesStarted.ShouldBe(0);
    }

    [Fact]
    public async Task Ready_ColdBesideWarm_IsFasterWarm()
    {
        await using WorkerHarness cold = await WorkerHarness.StartAsync(Cold, program: "real");
        await using WorkerHarness warm = await WorkerHarness.StartAsync(program: "real");
        List<double> coldMs = [];
        List<double> warmMs = [];
        for (int i = 1; i <= 7; i++)
        {
            _ = await SpareAsync(warm);
            coldMs.Add(await ReadyAsync(cold, WorkerHarness.Key(i)));
            warmMs.Add(await ReadyAsync(warm, WorkerHarness.Key(i)));
        }

        int memory = (int)(WorkerHarness.Memory(await SpareAsync(warm)) >> 20);
        coldMs.Sort();
        warmMs.Sort();
        output.WriteLine(
            $"start to ready: cold {string.Join(' ', coldMs.Select(ms => $"{ms:0}"))} ms; "
                + $"warm {string.Join(' ', warmMs.Select(ms => $"{ms:0}"))} ms"
        );
        output.WriteLine($"median: cold {coldMs[3]:0} ms, warm {warmMs[3]:0} ms; a spare holds {memory} MiB");
        warmMs[3].ShouldBeLessThan(coldMs[3]);
    }

    private static async Task<double> ReadyAsync(WorkerHarness harness, RunKey run)
    {
        long from = Stopwatch.GetTimestamp();
        harness.Start(run, WorkerHarness.Probe());
        _ = await harness.WaitAsync<WorkerReady>(ready => ready.Run == run);
        double ms = Stopwatch.GetElapsedTime(from).TotalMilliseconds;
        _ = await TrainAsync(harness, run);
        return ms;
    }

    /// <summary>Waits until a spare stands ready, one that is not <paramref name="other"/>.</summary>
    private static async Task<int> SpareAsync(WorkerHarness harness, int other = 0)
    {
        await WorkerHarness.UntilAsync(() => harness.Host.ReadySpares.Any(pid => pid != other), "a spare stands ready");
        return harness.Host.ReadySpares.First(pid => pid != other);
    }

    private static async Task BeginAsync(WorkerHarness harness, RunKey run)
    {
        _ = await harness.WaitAsync<WorkerReady>(ready => ready.Run == run);
        harness.Host.Begin(new BeginTraining(run, false, new CheckpointSpec { Strategy = CheckpointStrategy.Event }, null));
        TaskInput next = await harness.WaitAsync<TaskInput>(input =>
            (input is WorkerProgressed progressed && progressed.Run == run) || (input is WorkerExited exited && exited.Run == run)
        );
        _ = next.ShouldBeOfType<WorkerProgressed>();
    }

    /// <summary>Lets a run that was started train to its end.</summary>
    private static async Task<WorkerExited> TrainAsync(WorkerHarness harness, RunKey run)
    {
        await BeginAsync(harness, run);
        TaskInput next = await harness.WaitAsync<TaskInput>(input =>
            (input is WorkerStaged staged && staged.Run == run) || (input is WorkerExited exited && exited.Run == run)
        );
        if (next is WorkerStaged final)
        {
            harness.Host.Release(new ReleaseStaged(run, final.State.Id));
        }

        return await harness.WaitAsync<WorkerExited>(exited => exited.Run == run);
    }

    private static string Printed(WorkerHarness harness, RunKey run)
    {
        OutputFile file = harness.Host.OutputFiles(run.Task).Single(file => file.Run == run.Run);
        // The folder of the node's socket has a random name.
        string socket = File.ReadAllText(Path.Combine(harness.Directory, "worker-socket")).Trim();
        return File.ReadAllText(file.Path).Replace(socket, "SOCKET", StringComparison.Ordinal);
    }

    /// <summary>What came, in order; how often progress was told in between depends on how long the steps took.</summary>
    private static IEnumerable<string> Types(WorkerHarness harness)
    {
        string[] all = [.. harness.Inputs.Select(input => input.GetType().Name)];
        return all.Where((type, i) => type != nameof(WorkerProgressed) || i == 0 || all[i - 1] != type);
    }

    private static IReadOnlyList<int> ProcessesOf(WorkerHarness harness) =>
        [.. ProcessTable.DescendantsOf(harness.Host.GuardPid, ProcessTable.Read()).Select(process => process.Pid), harness.Host.GuardPid];
}
