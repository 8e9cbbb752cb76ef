using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Tests.Support;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Placement;

public sealed class CoordinatorStartTests : TestKit
{
    public CoordinatorStartTests()
        : base(TestSystems.InMemory()) { }

    [Fact]
    public void GoOn_OfTheAkkaInUse_IsThere() => CoordinatorStart.GoOn.ShouldNotBeNull();

    [Fact]
    public void Hurry_UntilCancelled_TellsTheCoordinatorToGoOn()
    {
        TestProbe coordinator = CreateTestProbe();
        TestScheduler scheduler = new(Sys.Settings.Config, Log);

        ICancelable until = CoordinatorStart.Hurry(scheduler, coordinator.Ref)!;

        for (int i = 0; i < 2; i++)
        {
            scheduler.Advance(TimeSpan.FromMilliseconds(10));
            coordinator.ExpectMsg<object>().ShouldBe(CoordinatorStart.GoOn);
        }

        until.Cancel();
        scheduler.Advance(TimeSpan.FromMilliseconds(100));
        coordinator.ExpectNoMsg(TimeSpan.FromMilliseconds(100));
    }
}
