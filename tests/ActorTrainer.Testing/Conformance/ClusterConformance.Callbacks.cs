using System.Collections.Concurrent;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Runtime;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Processes;
using Microsoft.Extensions.Hosting;
using Shouldly;

namespace ActorTrainer.Testing.Conformance;

/// <content>A host program that is told what becomes of the nodes.</content>
public sealed partial class ClusterConformance
{
    /// <summary>Callbacks: a program that hosts a node is told of the others: who is there, who is lost, is back, and leaves.</summary>
    public Task Callbacks_NodesAreLostComeBackAndLeave_AreToldOnceAndInOrder() =>
        OnSharedAsync(async cluster =>
        {
            ConcurrentQueue<ClusterChange> told = new();
            NodeAddress address = LocalCluster.FreeAddress();
            using IHost host = BuildHost(cluster, address, told.Enqueue);
            await host.StartAsync();
            NodeAddress[] all = [.. cluster.Nodes.Select(n => n.Address), address];
            await WaitToldAsync(
                cluster,
                told,
                "all nodes are up, its own too",
                changes => all.All(a => changes.Any(c => c.Kind == ClusterChangeKind.NodeUp && c.Node == a))
            );
            (LocalNode victim, LocalNode leaver) = (cluster.Nodes[1], cluster.Nodes[2]);
            ClusterChange up = told.Single(c => c.Node == victim.Address);

            await victim.KillAsync();
            await WaitToldAsync(
                cluster,
                told,
                "the killed node is lost",
                changes => changes.Any(c => c == up with { Kind = ClusterChangeKind.NodeLost })
            );
            victim.Start();
            await WaitToldAsync(
                cluster,
                told,
                "it is back in another life",
                changes =>
                    changes.Any(c => c.Kind == ClusterChangeKind.NodeUp && c.Node == victim.Address && c.Incarnation != up.Incarnation)
            );
            leaver.Signal(Signals.Terminate);
            await WaitToldAsync(
                cluster,
                told,
                "the other has left",
                changes => changes.Any(c => c.Kind == ClusterChangeKind.NodeLeft && c.Node == leaver.Address)
            );
            await ShouldEndWellAsync(leaver);
            await host.StopAsync();

            ClusterChange[] changes = [.. told];
            changes
                .Where(c => c.Kind == ClusterChangeKind.NodeLost)
                .ShouldHaveSingleItem()
                .ShouldBe(new(ClusterChangeKind.NodeLost, victim.Address, $"node{victim.Number}", up.Incarnation));
            foreach (IGrouping<long, ClusterChange> life in changes.GroupBy(c => c.Incarnation))
            {
                life.First().Kind.ShouldBe(ClusterChangeKind.NodeUp, string.Join('\n', life));
                life.Count(c => c.Kind == ClusterChangeKind.NodeUp).ShouldBe(1, string.Join('\n', life));
                life.SkipWhile(c => c.Kind is not (ClusterChangeKind.NodeLost or ClusterChangeKind.NodeLeft))
                    .Count()
                    .ShouldBeLessThanOrEqualTo(1, string.Join('\n', life));
            }
        });

    /// <summary>A node in this process. Its workers are the executable's: a test runner cannot be run again as a worker.</summary>
    private static IHost BuildHost(LocalCluster cluster, NodeAddress address, Action<ClusterChange> onChange)
    {
        NodeModel model = new()
        {
            NodeName = "observer",
            Address = address,
            DataDir = Path.Combine(cluster.Folder, "observer"),
            SeedNodes = [.. cluster.Nodes.Select(n => n.Address)],
            Journal = new JournalModel { Path = cluster.JournalPath, PostgreSql = cluster.PostgreSql },
            Checkpoints = new CheckpointStoreModel { Path = cluster.StorePath },
            Worker = new WorkerModel { Program = [LocalCluster.Executable] },
        };
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddActorTrainer(model).AddClusterObserver(onChange);
        return builder.Build();
    }

    private static Task WaitToldAsync(
        LocalCluster cluster,
        ConcurrentQueue<ClusterChange> told,
        string what,
        Func<ClusterChange[], bool> condition
    ) => cluster.WaitAsync($"told that {what}", () => Task.FromResult(condition([.. told])), Limit);
}
