using System.Text.Json;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using FsCheck;
using FsCheck.Fluent;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

public sealed class TaskFoldTests
{
    private static readonly TaskId Id = EntityDriver.Id;

    [Fact]
    public void Fold_FirstEventIsNotSubmitted_IsAnError() =>
        Should
            .Throw<InvalidOperationException>(() => TaskState.Fold(Id, null, [new TaskPaused()]))
            .Message.ShouldContain("TaskPaused, not TaskSubmitted");

    [Fact]
    public void Fold_NoEvents_IsNoTask() => TaskState.Fold(Id, null, []).ShouldBeNull();

    [Fact]
    public void Fold_AnyEvents_LiveReplayAndSnapshotGiveTheSameState() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue).ToArbitrary(),
                seed =>
                {
                    TaskEvent[] events = Events(new DeterministicRandom((ulong)seed));
                    TaskState? live = null;
                    foreach (TaskEvent e in events)
                    {
                        live = TaskState.Fold(Id, live, [e]);
                    }

                    string replayed = Json(TaskState.Fold(Id, null, events)!);
                    int cut = 1 + (seed % events.Length);
                    TaskState snapshot = JsonSerializer.Deserialize(
                        Json(TaskState.Fold(Id, null, events[..cut])!),
                        CoreJsonContext.Default.TaskState
                    )!;
                    return Json(live!) == replayed && Json(TaskState.Fold(Id, snapshot, events[cut..])!) == replayed;
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Json_EveryEvent_ComesBackTheSame()
    {
        TaskEvent[] events = [.. Enumerable.Range(0, 200).SelectMany(seed => Events(new DeterministicRandom((ulong)seed)))];
        Type[] known = [.. typeof(TaskEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(TaskEvent)))];
        events.Select(e => e.GetType()).Distinct().ShouldBe(known, ignoreOrder: true);
        foreach (TaskEvent e in events)
        {
            string json = JsonSerializer.Serialize(e, CoreJsonContext.Default.TaskEvent);
            TaskEvent back = JsonSerializer.Deserialize(json, CoreJsonContext.Default.TaskEvent)!;
            back.GetType().ShouldBe(e.GetType());
            JsonSerializer.Serialize(back, CoreJsonContext.Default.TaskEvent).ShouldBe(json);
        }
    }

    [Fact]
    public void Json_DivergedMetrics_AreKeptInEvents()
    {
        Dictionary<string, double> metrics = new() { ["loss"] = double.NaN, ["norm"] = double.PositiveInfinity };
        TaskEvent progressed = new TaskProgressed(new TaskProgress(1, null, 0, metrics));
        string json = JsonSerializer.Serialize(progressed, CoreJsonContext.Default.TaskEvent);
        IReadOnlyDictionary<string, double> back = JsonSerializer
            .Deserialize(json, CoreJsonContext.Default.TaskEvent)
            .ShouldBeOfType<TaskProgressed>()
            .Progress.Metrics;
        back["loss"].ShouldBe(double.NaN);
        back["norm"].ShouldBe(double.PositiveInfinity);
    }

    [Fact]
    public void Fold_BestMetric_IsNeverNotANumber()
    {
        TaskSpec spec = EntityDriver.Trainer(s => s with { Checkpoint = new CheckpointSpec { BestMetric = "loss" } });
        double?[] bests =
        [
            .. new[] { double.NaN, 3.0, 5.0, double.NaN, 2.0 }
                .Select(
                    (value, i) =>
                        new TaskCheckpointed(
                            EntityDriver.Ref($"c-1-{i}-aaaaaaaa", i, metrics: new Dictionary<string, double> { ["loss"] = value })
                        )
                )
                .Aggregate(
                    (State: TaskState.Fold(Id, null, [new TaskSubmitted(spec)]), Bests: new List<double?>()),
                    (seen, e) =>
                    {
                        TaskState? next = TaskState.Fold(Id, seen.State, [e]);
                        return (next, [.. seen.Bests, next!.BestMetric]);
                    }
                )
                .Bests,
        ];
        bests.ShouldBe([null, 3.0, 3.0, 3.0, 2.0]);
    }

    [Fact]
    public void LastUsable_DamagedAndDeadOnes_ArePassedOver()
    {
        TaskState state = TaskState.Fold(
            Id,
            null,
            [
                new TaskSubmitted(EntityDriver.Trainer()),
                Started(1, null),
                new TaskCheckpointed(Ref(10)),
                new TaskCheckpointed(Ref(20)),
                new TaskCheckpointed(Ref(30)),
            ]
        )!;
        state.LastUsable!.Step.ShouldBe(30);
        state = TaskState.Fold(Id, state, [new TaskCheckpointDamaged(Ref(30).Name, "chunk")])!;
        state.LastUsable!.Step.ShouldBe(20);

        // Another node went on from 10: 20 and 30 belong to a history that was left.
        state = TaskState.Fold(Id, state, [Started(2, Ref(10).Name)])!;
        state
            .Checkpoints.Select(c => (c.Checkpoint.Step, c.Damaged, c.Dead))
            .ShouldBe([(30, true, true), (20, false, true), (10, false, false)]);
        state.LastUsable!.Step.ShouldBe(10);
        state = TaskState.Fold(Id, state, [new TaskCheckpointed(Ref(15))])!;
        state.LastUsable!.Step.ShouldBe(15);
        TaskState.Fold(Id, state, [Started(3, null)])!.LastUsable.ShouldBeNull();
    }

    [Fact]
    public void Summarize_State_SaysWhatListsShow()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Save(10);
        TaskSummary summary = driver.State.Summarize(7);
        (summary.Task, summary.Name, summary.Shard, summary.Status, summary.Runs, summary.Slots).ShouldBe(
            (Id, "digits", 7, TaskStatus.Running, 1, 1)
        );
        (summary.LastCheckpoint!.Step, summary.Node, summary.IsFinished, summary.IsRunnable).ShouldBe((10, EntityDriver.Here, false, true));
        driver.Tell(new CancelTask());
        TaskSummary over = driver.State.Summarize(7);
        (over.IsFinished, over.IsRunnable, over.Detail, over.ExitCode).ShouldBe((true, false, "cancelled by the user", 1));
    }

    private static TaskStarted Started(int run, string? from) => new(run, 1, EntityDriver.Here, 1, from, 0);

    private static CheckpointRef Ref(long step) => EntityDriver.Ref($"c-1-{step}-aaaaaaaa", step);

    private static string Json(TaskState state) => JsonSerializer.Serialize(state, CoreJsonContext.Default.TaskState);

    private static TaskEvent[] Events(DeterministicRandom random)
    {
        TaskSpec spec = EntityDriver.Trainer(s =>
            s with
            {
                Checkpoint = new CheckpointSpec { BestMetric = "loss", BestIsLargest = random.Next(2) == 0 },
            }
        );
        return [new TaskSubmitted(spec, "h"), .. Enumerable.Range(0, random.Next(40)).Select(_ => Event(random))];
    }

    private static TaskEvent Event(DeterministicRandom random)
    {
        long step = random.Next(8);
        Dictionary<string, double> metrics = new() { ["loss"] = random.Next(4) == 0 ? double.NaN : random.NextDouble() };
        Failure failure = new(
            "exit-code",
            "exited",
            random.Next(2) == 0 ? random.Next(3) : null,
            random.Next(2) == 0 ? 9 : null,
            ["last", "lines"]
        );
        return random.Next(32) switch
        {
            0 => new TaskSubmitted(EntityDriver.Trainer()),
            1 => new TaskActivated(random.Next(9), random.Next(9), EntityDriver.There),
            2 => Started(random.Next(9), random.Next(3) == 0 ? null : Ref(step).Name),
            3 => new TaskProgressed(
                new TaskProgress(step, random.Next(2) == 0 ? null : 9, 0.5, metrics)
                {
                    Output = random.Next(2) == 0 ? new OutputProgress { Step = step, Guessed = true } : null,
                },
                random.Next(4) == 0
            ),
            4 => new TaskCheckpointed(Ref(step) with { Metrics = metrics })
            {
                Trained = random.Next(2) == 0 ? null : TimeSpan.FromMinutes(random.Next(99)),
            },
            5 => new TaskCheckpointDamaged(Ref(step).Name, "chunk"),
            6 => new TaskCheckpointFailed("interval", "disk full"),
            7 => new TaskCheckpointRemoved(Ref(step).Name, "keep-last"),
            8 => new TaskPacksCondemned(["packs/x"]),
            9 => new TaskInterrupted((InterruptionReason)random.Next(6), "detail"),
            10 => new TaskRetryScheduled(random.Next(4), failure, TimeSpan.FromSeconds(random.Next(9)), random.Next(2) == 0, 3)
            {
                NodeUnfit = random.Next(3) == 0,
                FormerMayLive = random.Next(3) == 0,
                FailedStartFrom = random.Next(2) == 0 ? Ref(step).Name : null,
            },
            11 => new TaskMigrating(2, EntityDriver.There, "drain"),
            12 => new TaskPaused(),
            13 => new TaskResumed(),
            14 => new TaskHeld("reason") { Failure = random.Next(2) == 0 ? new Failure("c", "d", 1, null, ["line"]) : null },
            15 => new TaskCompleted(
                random.Next(2) == 0 ? null : new TaskProgress(step, 9, 1, metrics),
                new Dictionary<string, string> { ["a"] = "b" }
            ),
            16 => new TaskFailed(failure),
            17 => new TaskAdopted(random.Next(9), random.Next(9)),
            18 => new TaskArchived(),
            19 => new TaskWarned("detail"),
            20 => new TaskCheckpointSetAside(Ref(step).Name, 2, Ref(0).Name, 0),
            21 => new TaskRestoreChosen(Ref(step).Name, step),
            22 => new TaskNodeLeaving(EntityDriver.There),
            23 => new TaskPreparing(EntityDriver.There, "make"),
            24 => new TaskCheckpointPinned(Ref(step).Name),
            25 => new TaskCheckpointUnpinned(Ref(step).Name),
            26 => new TaskCheckpointTagged(Ref(step).Name, $"t{random.Next(3)}"),
            27 => new TaskCheckpointUntagged(Ref(step).Name, $"t{random.Next(3)}"),
            30 => new TaskCheckpointVerified(Ref(step).Name, DateTimeOffset.UnixEpoch.AddDays(step)),
            28 => new TaskSavesPaced(
                random.Next(2) == 0 ? null : TimeSpan.FromSeconds(random.Next(99)),
                new SavePace(
                    TimeSpan.FromSeconds(random.Next(99)),
                    (SavePaceReason)random.Next(5),
                    TimeSpan.FromMilliseconds(random.Next(99)),
                    TimeSpan.FromMilliseconds(random.Next(99)),
                    TimeSpan.FromMilliseconds(random.Next(99)),
                    TimeSpan.FromMinutes(random.Next(99)),
                    random.Next(3)
                )
            ),
            29 => new TaskCheckpointImported(Ref(step).Name, step),
            _ => new TaskCancelled(),
        };
    }
}
