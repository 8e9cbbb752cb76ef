using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class WarmRunTests() : TestKit(TestSystems.InMemory())
{
    /// <summary>
    /// The owner before has written once more while this node took the task over: the actor that knew less ends with the run that it had
    /// begun, of which the journal knows nothing. What is heard of that run's end is no news of the next one.
    /// </summary>
    [Fact]
    public void Recovery_AfterARunThatTheJournalDoesNotKnow_TakesItsEndForNobodys()
    {
        TaskFixture first = new(this);
        first.Submit();
        first.Start();
        Lose(first);
        TaskFixture second = new(this, incarnation: 2);
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        Lose(second);
        _ = second.Host.Warm(TaskFixture.Id, TaskFixture.Spec, second.Rows.Put[^1]).ShouldNotBeNull();
        RunKey warmed = second.Effect<StartWorker>().Run;
        second.ActAgain();
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        second.Actor.Tell(new RowRefused(TaskFixture.Id));
        second.ShouldStop();
        second.Effect<StopWorker>().Run.ShouldBe(warmed);

        second.ActAgain();
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        second.Actor.Tell(new SlotsGranted(1));
        RunKey next = second.Effect<StartWorker>().Run;
        second.Host.Post(new WorkerExited(warmed, null, 9, null, []));
        second.Host.Post(new WorkerStarted(next, 4712));
        second.Host.Post(new WorkerReady(next));

        second.Effect<BeginTraining>().Run.ShouldBe(next);
        warmed.Term.ShouldBe(next.Term, "the journal knows of no term in between");
        JournalProbe
            .Ask(this, new JournalProbe.ReadAll())
            .ShouldBeOfType<List<JournaledEvent>>()
            .Select(e => e.Event)
            .OfType<TaskRetryScheduled>()
            .ShouldBeEmpty();
    }

    private static void Lose(TaskFixture task)
    {
        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();
    }
}
