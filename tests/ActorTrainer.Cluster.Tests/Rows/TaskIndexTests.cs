using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Rows;

public sealed class TaskIndexTests
{
    private readonly TaskIndex _index = new();

    [Fact]
    public void Apply_NewerRows_ReplaceOlderOnesAndNotTheOtherWayRound()
    {
        _index.Apply([Row("a", version: 5, owner: 2)]);
        _index.Apply([Row("a", version: 4, owner: 1)]);

        _index.All.ShouldHaveSingleItem().Owner.ShouldBe(2);
        _index.Version.ShouldBe(1, "the older one was no change");
    }

    [Fact]
    public void LargestStateBut_OfALife_IsTheLargestThatATrainerOfAnotherHasSaved()
    {
        _index.LargestStateBut(1).ShouldBe(0);
        _index.Apply([
            Saved("mine", 1, owner: 1, bytes: 900),
            Saved("small", 2, owner: 2, bytes: 100),
            Saved("large", 3, owner: 2, bytes: 300),
            Saved("files", 4, owner: 2, bytes: 800, CheckpointReasons.Files),
            Saved("nobody", 5, owner: 0, bytes: 700),
            Row("unsaved", 6, owner: 2),
        ]);

        _index.LargestStateBut(1).ShouldBe(300);
        _index.LargestStateBut(2).ShouldBe(900);
    }

    [Fact]
    public void NotOwnedBy_Lives_GivesTheOthersByPriority()
    {
        _index.Apply([
            Row("a", 1, owner: 1),
            Row("b", 1, owner: 2, priority: 5),
            Row("c", 1, owner: 0, priority: 9),
            Row("d", 1, owner: 2),
        ]);

        _index.NotOwnedBy(new HashSet<long> { 1 }, _ => true).Select(r => r.Summary.Name).ShouldBe(["c", "b", "d"]);
        _index.Where(r => r.Owner != 1).Select(r => r.Summary.Name).ShouldBe(["c", "b", "d"]);
    }

    [Fact]
    public void RestlessOf_ALife_GivesItsTasksThatMayNotRest()
    {
        _index.Apply([Row("a", 1, owner: 1), Running("b", 1, owner: 1), Running("c", 1, owner: 2), Running("d", 1, owner: 1)]);
        _index.Apply([Row("b", 2, owner: 1), Running("a", 2, owner: 1), Running("d", 2, owner: 2)]);
        _index.RestlessOf(1).Select(r => r.Summary.Name).ShouldBe(["a"]);

        TaskRow done = Running("a", 3, owner: 1);
        _index.Apply([done with { Summary = done.Summary with { Status = TaskStatus.Failed } }]);

        _index.RestlessOf(1).ShouldBeEmpty();
    }

    [Fact]
    public void Apply_FinishedRows_ForgetsTheTaskEverywhere()
    {
        _index.Apply([Row("a", 1, owner: 1)]);
        TaskRow done = Row("a", 2, owner: 1);

        _index.Apply([done with { Summary = done.Summary with { Status = TaskStatus.Completed } }]);

        _index.All.ShouldBeEmpty();
        _index.Find("a").ShouldBeNull();
        _index.CountIn(3).ShouldBe(0);
        _index.NotOwnedBy(new HashSet<long>(), _ => true).ShouldBeEmpty();
    }

    [Fact]
    public void Changed_WhenNothingHas_IsNotRaised()
    {
        int raised = 0;
        _index.Changed += _ => raised++;
        _index.Apply([Row("a", 1, owner: 1)]);
        _index.Apply([Row("a", 1, owner: 1)]);
        _index.Apply([]);

        raised.ShouldBe(1);
    }

    private static TaskRow Running(string name, long version, long owner)
    {
        TaskRow row = Row(name, version, owner);
        return row with { Summary = row.Summary with { Status = TaskStatus.Running } };
    }

    private static TaskRow Saved(string name, long version, long owner, long bytes, string reason = CheckpointReasons.Interval)
    {
        TaskRow row = Row(name, version, owner);
        CheckpointRef checkpoint = new("c-1-1-abcdefgh", 1, 0, reason, bytes, bytes, [], "", new Dictionary<string, double>());
        return row with { Summary = row.Summary with { LastCheckpoint = checkpoint } };
    }

    private static TaskRow Row(string name, long version, long owner, int priority = 0) =>
        new(
            new TaskState
            {
                Task = TaskId.Parse($"{name}-a1b2c"),
                Spec = TaskFixture.Spec with { Name = name, Priority = priority },
            }.Summarize(3),
            2,
            1,
            owner,
            default,
            default,
            version
        );
}
