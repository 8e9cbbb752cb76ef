using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster;

/// <content>The actors that look after the tasks of a node beside the tasks' own.</content>
internal sealed partial class ClusterSession
{
    private void StartStarter()
    {
        ILogger logger = _parts.Loggers.CreateLogger<TaskStarter>();
        TimeSpan fenceAfter = _parts.Model.Sharding.SelfFenceAfter;
        IActorRef starter = Add(
            Props.Create(() =>
                new TaskStarter(_host, Index, () => _view, () => Region, task => Rows.WithdrawAsync(task, _over.Token), fenceAfter, logger)
            ),
            "actortrainer-starter"
        );
        _host.Starter = starter;
        JournalModel journal = _parts.Model.Journal;
        if (TaskArchiver.IsNeeded(journal))
        {
            ILogger archiving = _parts.Loggers.CreateLogger<TaskArchiver>();
            Add(
                Props.Create(() =>
                    new TaskArchiver(
                        Rows,
                        journal,
                        () => _view.Coordinator == Incarnation,
                        () => Region,
                        ArchiveEvery,
                        _parts.Time,
                        archiving
                    )
                ),
                "actortrainer-archiver"
            );
        }
    }

    private void StartAssigner()
    {
        ILogger logger = _parts.Loggers.CreateLogger<TaskAssigner>();
        TimeSpan settle = _parts.Model.Sharding.Settle;
        _assigner = Add(
            Props.Create(() => new TaskAssigner(Index, Planner, () => _view, AssignAsync, Wake, Now, settle, logger)),
            "actortrainer-assigner"
        );
    }

    private async Task<List<TaskId>> AssignAsync(IReadOnlyCollection<TaskId> tasks, long seen, long owner)
    {
        List<TaskId> behind = await Rows.AssignAsync(tasks, seen, owner, _over.Token);
        await ReadRowsAsync(_over.Token);
        return behind;
    }

    private void Wake(TaskId task)
    {
        ShardHomes.Forget(Region, task, _parts.Model.Sharding.NumberOfShards);
        Region.Tell(new WakeTask(task));
    }

    private void StartWarmer()
    {
        ILogger logger = _parts.Loggers.CreateLogger<TaskWarmer>();
        Action<long> expect = _parts.Workers.ExpectState;
        Add(Props.Create(() => new TaskWarmer(_host, Index, Planner, _setup.Database, () => _view, expect, logger)), TaskWarmer.Name);
    }

    /// <summary>Has a worker made ready on another node; what that node does not say in time is not waited for.</summary>
    private async Task WarmAsync(TaskId task, long to)
    {
        if (_view.Find(to) is not { } member)
        {
            return;
        }

        try
        {
            await TaskWarmer.At(System, member).Ask<TaskWarmed>(new WarmTask(task), WarmWithin, _over.Token);
        }
        catch (Exception e) when (e is AskTimeoutException or OperationCanceledException)
        {
            LogNotWarm(_logger, task, member.Address);
        }
    }
}
