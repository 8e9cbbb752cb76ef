using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Drives an entity as its actor does: every step is committed at once, and what it logged is kept.</summary>
internal sealed class EntityDriver
{
    public static readonly TaskId Id = TaskId.Parse("digits-a1");
    public static readonly NodeAddress Here = new("10.0.0.1", 7400);
    public static readonly NodeAddress There = new("10.0.0.2", 7400);

    private readonly DeterministicRandom _random = new(17);
    private int _staged;

    public EntityDriver(long incarnation = 1) => Entity = new TaskEntity(Id, new EntityHome(incarnation, Here));

    public TaskEntity Entity { get; }

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(100);

    public List<TaskEvent> Log { get; } = [];

    public TaskState State => Entity.State!;

    public RunKey Run { get; private set; }

    public static TaskSpec Trainer(Func<TaskSpec, TaskSpec>? with = null)
    {
        TaskSpec spec = new() { Name = "digits", Trainer = new TrainerSpec("Digits", null, null) };
        return with?.Invoke(spec) ?? spec;
    }

    public static TaskSpec Command() => new() { Name = "script", Command = ["./train.sh"] };

    /// <summary>A submitted task on the node that owns it under term 1.</summary>
    public static EntityDriver Submitted(TaskSpec? spec = null)
    {
        EntityDriver driver = new();
        driver.Do(driver.Entity.Activated(1, driver.Now)).IsNothing.ShouldBeTrue();
        driver.Tell(new SubmitTask(spec ?? Trainer(), "hash")).Reply.ShouldBe(new CommandAccepted(Id));
        return driver;
    }

    /// <summary>A task whose worker trains.</summary>
    public static EntityDriver Training(TaskSpec? spec = null)
    {
        EntityDriver driver = Submitted(spec);
        driver.Start();
        return driver;
    }

    /// <summary>The same task found in the journal by another node under another term.</summary>
    public EntityDriver Elsewhere(long term, long incarnation = 2)
    {
        EntityDriver next = new(incarnation) { Now = Now };
        next.Entity.Recover(null, Log);
        next.Log.AddRange(Log);
        next.Do(next.Entity.Activated(term, Now));
        return next;
    }

    public EntityStep Do(EntityStep step)
    {
        Log.AddRange(step.Persist);
        if (step.Persist.Count > 0)
        {
            Entity.Commit(step.Persist, Now);
        }

        return step;
    }

    public EntityStep Tell(TaskCommand command) => Do(Entity.On(command, Now));

    public EntityStep Happens(TaskInput input) => Do(Entity.On(input, Now, _random));

    public EntityStep Tick(double afterSeconds = 0)
    {
        Now += TimeSpan.FromSeconds(afterSeconds);
        return Do(Entity.Tick(Now, _random));
    }

    public EntityStep Grant()
    {
        Entity.WantsSlots(Now).ShouldBeTrue();
        EntityStep step = Do(Entity.Grant(Now));
        Run = step.AfterCommit.Select(KeyOf).First(k => k is not null)!.Value;
        return step;
    }

    public void Take(RunKey run) => Run = run;

    /// <summary>From slots to training, with whatever has to be restored.</summary>
    public void Start()
    {
        EntityStep step = Grant();
        if (step.AfterCommit.OfType<RestoreCheckpoint>().SingleOrDefault() is { } restore)
        {
            Happens(new CheckpointRestored(Run, restore.Checkpoint.Name));
        }

        Happens(new WorkerStarted(Run, 4711));
        Happens(new WorkerReady(Run));
        Entity.IsTraining.ShouldBeTrue();
    }

    public EntityStep Stage(long step, string reason = "interval") =>
        Happens(new WorkerStaged(Run, new StagedState($"s{++_staged}", step, step / 10.0, reason, new Dictionary<string, double>())));

    /// <summary>Answers a save with success.</summary>
    public EntityStep Stored(SaveCheckpoint save, IReadOnlyDictionary<string, double>? metrics = null) =>
        Happens(new CheckpointStored(save.Run, save.State.Id, Ref(save.Name, save.State.Step, save.State.Reason, metrics)));

    public EntityStep StoreFails(SaveCheckpoint save, string detail = "disk full") =>
        Happens(new CheckpointStoreFailed(save.Run, save.State.Id, detail));

    /// <summary>Stages and stores; gives the checkpoint's name.</summary>
    public string Save(long step, string reason = "interval", IReadOnlyDictionary<string, double>? metrics = null)
    {
        SaveCheckpoint save = Stage(step, reason).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        Stored(save, metrics);
        return save.Name;
    }

    public EntityStep Exit(int? code, int? signal = null, string? error = null, params string[] lines) =>
        Happens(new WorkerExited(Run, code, signal, error, lines));

    public EntityStep Done() => Happens(new WorkerDone(Run, Progress(1000), new Dictionary<string, string> { ["accuracy"] = "0.97" }));

    public static TaskProgress Progress(long step) =>
        new(step, 1000, step / 100.0, new Dictionary<string, double> { ["loss"] = 1.0 / (step + 1) });

    public static CheckpointRef Ref(
        string name,
        long step,
        string reason = "interval",
        IReadOnlyDictionary<string, double>? metrics = null
    ) => new(name, step, step / 10.0, reason, 10, 5, [CheckpointNames.PackFile(name)], "ab", metrics ?? new Dictionary<string, double>());

    private static RunKey? KeyOf(TaskEffect effect) =>
        effect switch
        {
            StartWorker start => start.Run,
            RestoreCheckpoint restore => restore.Run,
            _ => null,
        };
}
