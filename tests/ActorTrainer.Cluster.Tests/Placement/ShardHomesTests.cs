using System.Globalization;
using System.Reflection;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Tests.Placement;

public sealed class ShardHomesTests() : TestKit(TestSystems.InCluster())
{
    private const int Shards = 16;

    [Fact]
    public void CanForget_TheAkkaInUse_HasTheMessage() => ShardHomes.CanForget.ShouldBeTrue();

    /// <summary>A region that missed the end of the node that had a shard: what it is sent for it goes to nobody.</summary>
    [Fact]
    public async Task Forget_ARegionThatMissedALoss_AsksAnewAndDelivers()
    {
        AkkaCluster cluster = AkkaCluster.Get(Sys);
        cluster.Join(cluster.SelfAddress);
        TestProbe entity = CreateTestProbe();
        IActorRef region = await ClusterSharding
            .Get(Sys)
            .StartAsync(
                "tasks",
                _ => Props.Create(() => new ForwardActor(entity)),
                ClusterShardingSettings.Create(Sys),
                new TaskExtractor(Shards)
            );
        TaskId task = TaskId.Parse("digits-a1b2c");
        TestProbe lost = CreateTestProbe();
        region.Tell(HomeOf(task, lost), ActorRefs.NoSender);
        region.Tell(new WakeTask(task));
        lost.ExpectMsg<WakeTask>(TimeSpan.FromSeconds(20)).Task.ShouldBe(task);

        ShardHomes.Forget(region, task, Shards);
        region.Tell(new WakeTask(task));

        entity.ExpectMsg<WakeTask>(TimeSpan.FromSeconds(20)).Task.ShouldBe(task);
        lost.ExpectNoMsg(TimeSpan.Zero);
    }

    /// <summary>What the coordinator tells a region.</summary>
    private static object HomeOf(TaskId task, TestProbe place) =>
        Activator.CreateInstance(
            typeof(ClusterSharding).Assembly.GetType("Akka.Cluster.Sharding.ShardCoordinator+ShardHome", throwOnError: true)!,
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic,
            null,
            [ShardMap.ShardOf(task, Shards).ToString(CultureInfo.InvariantCulture), place.Ref],
            CultureInfo.InvariantCulture
        )!;

    private sealed class ForwardActor : ReceiveActor
    {
        public ForwardActor(TestProbe to) => ReceiveAny(message => to.Ref.Tell(message));
    }
}
