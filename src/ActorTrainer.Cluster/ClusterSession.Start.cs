using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster;

/// <content>How a life begins: it is registered, its actors start, it enters the cluster.</content>
internal sealed partial class ClusterSession
{
    /// <summary>Begins a life: registers it, makes or takes the system, starts its actors.</summary>
    /// <param name="parts">What outlives it.</param>
    /// <param name="database">The journal's database.</param>
    /// <param name="existing">The host's own system, or null.</param>
    /// <param name="execute">Does what is asked of this node, by a client here or by another node.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="IOException">Akka.Remote's address is in use, or the configuration is not accepted by Akka.</exception>
    public static async Task<ClusterSession> BeginAsync(
        ClusterNodeParts parts,
        JournalDatabase database,
        ActorSystem? existing,
        Func<NodeCommandKind, Task<CommandReply>> execute,
        CancellationToken cancellationToken
    )
    {
        NodeModel model = parts.Model;
        ClusterMember row = new(
            0,
            model.Address,
            model.NodeName,
            model.Roles,
            model.Slots,
            MemberStatus.Joining,
            false,
            Environment.ProcessId,
            parts.Version
        );
        MemberTable members = new(database);
        long incarnation = await members.RegisterAsync(row, cancellationToken);
        LifePulse pulse = await LifePulse.BeginAsync(
            database,
            model.Journal.Path,
            incarnation,
            parts.Time,
            parts.Loggers.CreateLogger<LifePulse>(),
            cancellationToken
        );
        ClusterSession? life = null;
        ActorSystem? system = existing;
        try
        {
            int living = (await members.ReadAsync(cancellationToken)).Count(row => row.Member.IsRegistered);
            SessionSetup setup = new(database, new LifeProof(database, model.Journal.Path), incarnation, parts.Loggers);
            system ??= SystemFactory.Create(model, living, setup);
            life = new ClusterSession(parts, setup, pulse, system, existing is null, execute);
            await life.StartAsync(cancellationToken);
            return life;
        }
        catch
        {
            if (life is not null)
            {
                await life.DisposeAsync();
            }
            else
            {
                await (existing is null && system is not null ? system.Terminate() : Task.CompletedTask);
                await pulse.DisposeAsync();
            }

            throw;
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        NodeModel model = _parts.Model;
        AkkaCluster cluster = AkkaCluster.Get(System);
        string selfAddress = cluster.SelfAddress.ToString();
        await _members.LocateAsync(Incarnation, selfAddress, cluster.SelfUniqueAddress.Uid, cancellationToken);
        ILogger watchLogger = _parts.Loggers.CreateLogger<ClusterWatch>();
        ClusterTable table = new(_setup.Database);
        Add(
            Props.Create(() => new ClusterWatch(_members, table, Incarnation, TaskPersistence.Role, OnView, End, Now, watchLogger)),
            "actortrainer-members"
        );
        TimeSpan journalLimit = model.Sharding.JournalUnreachableAfter;
        Add(Props.Create(() => new JournalWatch(journalLimit, watchLogger)), JournalWatch.Name);
        if (_ownSystem)
        {
            TimeSpan pace = System.Settings.Config.GetTimeSpan("akka.actortrainer.pace");
            ActorSelection gossip = System.ActorSelection("/system/cluster/core/daemon");
            Add(Props.Create(() => new GossipPacer(pace, gossip, () => Region, Now)), "actortrainer-gossip-pacer");
        }
        else
        {
            // A host's own downing provider does not know of life locks.
            Add(Props.Create(() => new DowningActor(_setup, cluster, true)), "actortrainer-crashes");
        }

        Add(Props.Create(() => new NodeActor(_execute, Planner)), NodeActor.Name);
        Index.Changed += OnRows;
        await _follower.StartAsync(cancellationToken);
        StartStarter();
        StartAssigner();
        StartWarmer();
        ShardPlacement placement = new(Planner, Index, () => _view, selfAddress, WarmAsync, _parts.Loggers.CreateLogger<ShardPlacement>());
        ClusterSharding clusterSharding = ClusterSharding.Get(System); // brings the settings' defaults along
        ClusterShardingSettings settings = _ownSystem ? ClusterShardingSettings.Create(System) : HostSystem.Prepare(System, model);
        Region = await clusterSharding.StartAsync(
            TaskPersistence.TypeName,
            id => TrainingTaskActor.Props(TaskId.Parse(id), _host),
            settings.WithRole(TaskPersistence.Role),
            new TaskExtractor(model.Sharding.NumberOfShards),
            placement,
            ReleaseTask.Instance
        );
        cluster.RegisterOnMemberUp(() => _ = SetStatusAsync(MemberStatus.Up));
        _ = System.WhenTerminated.ContinueWith(
            _ => _ended.TrySetResult("the actor system has ended: the others count this node as lost, or it was told to end"),
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );
        ClusterEntry entry = new(
            System,
            _ownSystem,
            Incarnation,
            model.SeedNodes,
            table,
            _setup.Proof,
            _parts.Time,
            _parts.Loggers.CreateLogger<ClusterEntry>()
        );
        TaskRehearsal rehearsal = new(System, _setup.Database, Incarnation, _parts.Time, _parts.Loggers.CreateLogger<TaskRehearsal>());
        _entering = Task.Run(() => EnterAsync(rehearsal, entry), CancellationToken.None);
        LogBegun(_logger, model.NodeName, Incarnation, selfAddress);
    }

    private async Task EnterAsync(TaskRehearsal rehearsal, ClusterEntry entry)
    {
        try
        {
            // A member may be given the tasks of a lost one at once: it enters when it can take them up without delay.
            await Task.WhenAny(rehearsal.RunAsync(_over.Token), Task.Delay(RehearseWithin, _parts.Time, _over.Token));
            if (await entry.RunAsync(_over.Token) is { } reason)
            {
                End(reason);
            }
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
            // The life ends before it is a member.
        }
        catch (Exception e)
        {
            End($"it could not join the cluster: {e.Message}");
        }
    }
}
