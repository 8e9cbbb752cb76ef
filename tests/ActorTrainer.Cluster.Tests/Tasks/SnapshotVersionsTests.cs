using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>Snapshots of the fold version before and after the one that reads them.</summary>
public sealed class SnapshotVersionsTests() : TestKit(TestSystems.InMemory())
{
    private const int Present = TaskState.FoldVersion;

    /// <summary>As a version of tomorrow will be: it reads what today's wrote.</summary>
    private static readonly SnapshotVersions Tomorrows = new(
        Present + 1,
        new Dictionary<int, Func<FoldedTask, FoldedTask>>
        {
            [Present] = f => f with { State = f.State with { Detail = f.State.Detail + ", upgraded" } },
        }
    );

    [Fact]
    public void OfProduct_TheVersionBefore_HasItsStepOnceThereIsOne()
    {
        SnapshotVersions.OfProduct.Reads(Present).ShouldBeTrue();
        SnapshotVersions
            .OfProduct.Reads(Present - 1)
            .ShouldBe(
                Present > SnapshotVersions.FirstReleased,
                "where events are deleted, a snapshot of the version before has to be read"
            );
    }

    [Fact]
    public void Read_OfTheSameVersion_IsWhatWasWritten()
    {
        FoldedTask written = Of(Present);

        SnapshotVersions.OfProduct.Read(written, out string? problem).ShouldBeSameAs(written);

        problem.ShouldBeNull();
    }

    [Fact]
    public void Read_OfTheVersionBefore_IsHandedToItsStep()
    {
        FoldedTask read = Tomorrows.Read(Of(Present), out string? problem).ShouldNotBeNull();

        problem.ShouldBeNull();
        read.FoldVersion.ShouldBe(Present + 1);
        read.State.Detail.ShouldBe("as written, upgraded");
    }

    [Theory]
    [InlineData(Present + 2, "a newer version")]
    [InlineData(Present - 1, "an older version")]
    public void Read_OfAVersionThatIsNotRead_IsRefusedWithTheVersions(int version, string reason)
    {
        Tomorrows.Read(Of(version), out string? problem).ShouldBeNull();

        problem.ShouldNotBeNull().ShouldContain(reason);
        problem.ShouldContain($"fold version {version}");
        problem.ShouldContain($"reads {Present} to {Present + 1}");
    }

    [Fact]
    public void Read_OfWhatIsNoState_SaysWhatItIs()
    {
        Tomorrows.Read(new Unreadable("state-2", "'state-2' was written by another version"), out string? problem).ShouldBeNull();
        problem.ShouldBe("'state-2' was written by another version");

        Tomorrows.Read("text", out problem).ShouldBeNull();
        problem.ShouldNotBeNull().ShouldContain("String");
    }

    [Fact]
    public void Recovery_SnapshotOfTheVersionBefore_GoesOnFromIt()
    {
        SubmitAndLose();
        JournalProbe.Ask(this, Of(Present));

        TaskFixture next = new(this, incarnation: 2, snapshots: Tomorrows);

        next.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        next.Rows.Put.ShouldHaveSingleItem().Summary.Detail.ShouldBe("as written, upgraded");
        next.Host.SnapshotsPassedOver(TaskFixture.Id).ShouldBeNull();
    }

    [Fact]
    public void Recovery_SnapshotOfANewerVersion_IsPassedOverAndNothingIsLost()
    {
        SubmitAndLose();
        JournalProbe.Ask(this, Of(Present + 1));
        TaskFixture second = new(this, incarnation: 2);
        second.ShouldStop();
        (long from, string reason) = second.Host.SnapshotsPassedOver(TaskFixture.Id).ShouldNotBeNull();
        from.ShouldBe(2);
        reason.ShouldContain("a newer version");

        IActorRef again = second.Parent.ChildActorOf(TrainingTaskActor.Props(TaskFixture.Id, second.Host));
        again.Tell(new TaskRequest(TaskFixture.Id, new SubmitTask(TaskFixture.Spec, "hash")), TestActor);

        ExpectMsg<TaskAnswer>(TimeSpan.FromSeconds(10)).Reply.ShouldBe(new CommandAccepted(TaskFixture.Id, Existed: true));
    }

    /// <summary>A task of two events, whose node is taken away: the actor stops without a word.</summary>
    private void SubmitAndLose()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Ask(new PauseTask());
        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();
    }

    private static FoldedTask Of(int version) =>
        new(
            version,
            new TaskState
            {
                Task = TaskFixture.Id,
                Spec = TaskFixture.Spec,
                SpecHash = "hash",
                Term = 1,
                Incarnation = 1,
                Detail = "as written",
            },
            TaskTimes.None
        );
}
