using System.Collections.Concurrent;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>A task's actor on a node whose workers and store are the test's hands: effects are written down, inputs are posted.</summary>
internal sealed class TaskFixture
{
    public static readonly TaskId Id = TaskId.Parse("digits-a1b2c");
    public static readonly TaskSpec Spec = new()
    {
        Name = "digits",
        Priority = 3,
        Trainer = new TrainerSpec("Digits", null, null),
    };

    private readonly TestKitBase _kit;
    private readonly BlockingCollection<TaskEffect> _effects = [];
    private readonly long _startedAt = TimeProvider.System.GetTimestamp();

    /// <param name="kit">The test.</param>
    /// <param name="incarnation">The node's life.</param>
    /// <param name="system">Where the actor lives; null: the test's own.</param>
    /// <param name="id">The task.</param>
    /// <param name="journal">The tables that its row is in and its history is deleted from; null: rows are kept in memory, and nothing is
    /// deleted.</param>
    /// <param name="keepEvents">How many events stay at least; null: all.</param>
    /// <param name="snapshots">Which snapshots are read; null: those that the product reads.</param>
    /// <param name="isLong">Whether a task may have snapshots; null: all may.</param>
    /// <param name="restAfter">When one that only waits asks to go to rest; null: after 5 s.</param>
    public TaskFixture(
        TestKitBase kit,
        long incarnation = 1,
        ActorSystem? system = null,
        TaskId? id = null,
        JournalTables? journal = null,
        int? keepEvents = null,
        SnapshotVersions? snapshots = null,
        Func<TaskId, bool>? isLong = null,
        TimeSpan? restAfter = null
    )
    {
        _kit = kit;
        Task = id ?? Id;
        Slots = kit.CreateTestProbe(system ?? kit.Sys);
        Starter = kit.CreateTestProbe(system ?? kit.Sys);
        Host = new TaskHost
        {
            Home = new EntityHome(incarnation, new NodeAddress("10.0.0.1", (int)(7400 + incarnation))),
            NumberOfShards = 16,
            Effects = e => _effects.Add(e),
            Slots = Slots.Ref,
            Rows = (ITaskRows?)journal?.Writer ?? Rows,
            History = journal?.History,
            KeepEvents = keepEvents,
            IsLong = isLong,
            RestAfter = restAfter ?? TimeSpan.FromSeconds(5),
            Snapshots = snapshots ?? SnapshotVersions.OfProduct,
            Hold = journal is null ? null : (task, reason) => journal.Table.HoldAsync(task, incarnation, reason, CancellationToken.None),
            Starter = Starter.Ref,
            Elapsed = () => TimeProvider.System.GetElapsedTime(_startedAt),
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
        };
        Parent = kit.CreateTestProbe(system ?? kit.Sys);
        Actor = Act();
    }

    public TaskId Task { get; }

    public TaskHost Host { get; }

    public TestProbe Slots { get; }

    /// <summary>What the actor has handed in as its row.</summary>
    public RecordedRows Rows { get; } = new();

    /// <summary>Stands for who starts tasks again.</summary>
    public TestProbe Starter { get; }

    /// <summary>Stands for the shard.</summary>
    public TestProbe Parent { get; }

    public IActorRef Actor { get; private set; }

    public RunKey Run { get; private set; }

    /// <summary>A new actor of the task, on the same node, after the one before has ended.</summary>
    public void ActAgain() => Actor = Act();

    private IActorRef Act()
    {
        IActorRef actor = Parent.ChildActorOf(TrainingTaskActor.Props(Task, Host), SupervisorStrategy.DefaultStrategy); // a shard's
        Parent.Watch(actor);
        return actor;
    }

    /// <summary>Sends a command and gives the answer.</summary>
    public TaskAnswer Ask(TaskCommand command)
    {
        Actor.Tell(new TaskRequest(Task, command), _kit.TestActor);
        return _kit.ExpectMsg<TaskAnswer>(TimeSpan.FromSeconds(10));
    }

    public TaskAnswer Submit(string hash = "hash") => Ask(new SubmitTask(Spec, hash));

    /// <summary>Waits for an effect of a kind; others before it are passed over.</summary>
    public T Effect<T>()
        where T : TaskEffect
    {
        while (_effects.TryTake(out TaskEffect? effect, TimeSpan.FromSeconds(10)))
        {
            if (effect is T wanted)
            {
                return wanted;
            }
        }

        throw new TimeoutException($"no {typeof(T).Name} came");
    }

    /// <summary>Waits until the task wants slots, gives them, and lets its worker begin to train.</summary>
    public void Start(long grant = 1)
    {
        Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        Actor.Tell(new SlotsGranted(grant));
        Run = Effect<StartWorker>().Run;
        Host.Post(new WorkerStarted(Run, 4711));
        Host.Post(new WorkerReady(Run));
        Effect<BeginTraining>().Run.ShouldBe(Run);
    }

    /// <summary>Lets the worker stage a state and the store take it; gives the checkpoint's name.</summary>
    public string Save(long step, string reason = CheckpointReasons.Interval)
    {
        Host.Post(new WorkerStaged(Run, new StagedState($"s{step}", step, 0, reason, new Dictionary<string, double>())));
        SaveCheckpoint save = Effect<SaveCheckpoint>();
        Host.Post(new CheckpointStored(Run, save.State.Id, Ref(save)));
        Effect<ReleaseStaged>();
        return save.Name;
    }

    public static CheckpointRef Ref(SaveCheckpoint save) =>
        new(
            save.Name,
            save.State.Step,
            0,
            save.State.Reason,
            10,
            5,
            [CheckpointNames.PackFile(save.Name)],
            "ab",
            new Dictionary<string, double>()
        );

    public static TaskProgress Progress(long step) => new(step, 1000, 0, new Dictionary<string, double> { ["loss"] = 0.5 });

    /// <summary>Waits for the actor's end. One that only waits may have asked to go to rest before, which nobody answers here.</summary>
    public void ShouldStop() => Parent.FishForMessage<Terminated>(ended => ended.ActorRef.Equals(Actor), TimeSpan.FromSeconds(10));
}
