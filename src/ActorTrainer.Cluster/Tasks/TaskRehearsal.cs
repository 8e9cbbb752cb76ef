using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Lets a task's actor submit, start, commit and recover once before the node enters the cluster, with nothing behind it: the first time in
/// a process costs about a second, most of it in the journal's plugin, and a fail-over must not pay for that. What it journals is removed.
/// </summary>
internal sealed partial class TaskRehearsal(ActorSystem system, JournalDatabase database, long life, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly TaskId _task = TaskId.Parse(FormattableString.Invariant($"rehearsal-{life:00000}"));

    /// <summary>Rehearses. What goes wrong costs time later and nothing else.</summary>
    /// <returns>Whether all of it went as it should.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        try
        {
            await TrainAsync(cancellationToken);
            await RecoverAsync(cancellationToken);
            await EventTable.RemoveAsync(database, _task, cancellationToken);
            LogDone(logger, (long)time.GetElapsedTime(started).TotalMilliseconds);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The life ends before it has rehearsed.
        }

        return false;
    }

    private async Task TrainAsync(CancellationToken cancellationToken)
    {
        Channels effects = new();
        TaskHost host = Host(effects);
        IActorRef actor = system.ActorOf(TrainingTaskActor.Props(_task, host));
        TaskSpec spec = new() { Name = "rehearsal", Command = ["true"] };
        await actor.Ask<TaskAnswer>(new TaskRequest(_task, new SubmitTask(spec, TaskSpecHash.Compute(spec))), Within, cancellationToken);
        actor.Tell(new SlotsGranted(1));
        RunKey run = (await effects.NextAsync<StartWorker>(cancellationToken)).Run;
        host.Post(new WorkerStarted(run, 0));
        host.Post(new WorkerStaged(run, new StagedState("s1", 1, 0, CheckpointReasons.Interval, new Dictionary<string, double>())));
        SaveCheckpoint save = await effects.NextAsync<SaveCheckpoint>(cancellationToken);
        CheckpointRef checkpoint = new(save.Name, 1, 0, CheckpointReasons.Interval, 1, 1, [], "", new Dictionary<string, double>());
        host.Post(new CheckpointStored(run, save.State.Id, checkpoint));
        await effects.NextAsync<ReleaseStaged>(cancellationToken);
        await actor.GracefulStop(Within);
    }

    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        Channels effects = new();
        TaskHost host = Host(effects);
        IActorRef actor = system.ActorOf(TrainingTaskActor.Props(_task, host));
        actor.Tell(new SlotsGranted(1));
        await effects.NextAsync<RestoreCheckpoint>(cancellationToken);
        await actor.GracefulStop(Within);
    }

    private TaskHost Host(Channels effects) =>
        new()
        {
            Home = new EntityHome(life, new NodeAddress("localhost", 0)),
            NumberOfShards = 1,
            Effects = effects.Add,
            Slots = ActorRefs.Nobody,
            Rows = NoRows.Instance,
            Elapsed = () => time.GetElapsedTime(0),
            Time = time,
            Logger = logger,
        };

    [LoggerMessage(Level = LogLevel.Debug, Message = "a task was rehearsed in {Milliseconds} ms")]
    private static partial void LogDone(ILogger logger, long milliseconds);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "no task could be rehearsed, so the first one here takes longer to start: {Problem}"
    )]
    private static partial void LogFailed(ILogger logger, string problem);

    /// <summary>Effects that are looked at and not carried out.</summary>
    private sealed class Channels
    {
        private readonly System.Threading.Channels.Channel<TaskEffect> _effects =
            System.Threading.Channels.Channel.CreateUnbounded<TaskEffect>();

        public void Add(TaskEffect effect) => _effects.Writer.TryWrite(effect);

        public async Task<T> NextAsync<T>(CancellationToken cancellationToken)
            where T : TaskEffect
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Within);
            while (true)
            {
                if (await _effects.Reader.ReadAsync(limit.Token) is T wanted)
                {
                    return wanted;
                }
            }
        }
    }

    private sealed class NoRows : ITaskRows
    {
        public static NoRows Instance { get; } = new();

        public void Enter(TaskId task, IActorRef entity) { }

        public void Put(IActorRef entity, TaskRow row, IReadOnlyList<CheckpointListing>? checkpoints) { }

        public Task FlushAsync(TaskId task) => Task.CompletedTask;

        public void Leave(TaskId task, IActorRef entity) { }
    }
}
