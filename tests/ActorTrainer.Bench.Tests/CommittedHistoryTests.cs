using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Tests;

public sealed class CommittedHistoryTests
{
    private static readonly TaskId Task = TaskId.Parse("digits-a1b2c");
    private static readonly NodeAddress Node = new("127.0.0.1", 7400);

    [Fact]
    public void Judge_RunGoesOnFromTheNewestCheckpoint_FindsNothing()
    {
        EventRow[] history =
        [
            Row(1, 1, Started(1, 0)),
            Row(2, 1, Saved("c1", 10)),
            Row(3, 1, Saved("c2", 20)),
            Row(4, 2, Started(2, 20)),
            Row(5, 2, Saved("c3", 30)),
        ];

        CommittedHistory
            .Judge(history[..3], history)
            .ShouldSatisfyAllConditions(
                verdict => verdict.LostSteps.ShouldBe(0),
                verdict => verdict.DoubleWrites.ShouldBe(0),
                verdict => verdict.Faults.ShouldBeEmpty()
            );
    }

    [Fact]
    public void Judge_RunBeginsBelowTheNewestCheckpoint_CountsTheStepsBetween()
    {
        EventRow[] history = [Row(1, 1, Started(1, 0)), Row(2, 1, Saved("c1", 10)), Row(3, 1, Saved("c2", 25)), Row(4, 2, Started(2, 10))];

        CommittedHistory verdict = CommittedHistory.Judge([], history);

        verdict.LostSteps.ShouldBe(15);
        verdict.Faults.ShouldHaveSingleItem().ShouldContain("run 2 (event 4) began at step 10, below the committed 25");
    }

    [Fact]
    public void Judge_DamagedCheckpoint_IsNotGoneBackBehind()
    {
        EventRow[] history =
        [
            Row(1, 1, Saved("c1", 10)),
            Row(2, 1, Saved("c2", 25)),
            Row(3, 2, new TaskCheckpointDamaged("c2", "bits")),
            Row(4, 2, Started(2, 10)),
        ];

        CommittedHistory.Judge([], history).LostSteps.ShouldBe(0);
    }

    [Fact]
    public void Judge_AcknowledgedCheckpointIsGone_IsCountedOnce()
    {
        EventRow[] seen = [Row(1, 1, Saved("c1", 10)), Row(2, 1, Saved("c2", 20))];
        EventRow[] history = [Row(1, 1, Saved("c1", 10)), Row(2, 2, Saved("other", 20))];

        CommittedHistory verdict = CommittedHistory.Judge(seen, history);

        verdict.LostSteps.ShouldBe(1);
        verdict.Faults.ShouldHaveSingleItem().ShouldContain("c2");
    }

    [Fact]
    public void Judge_OlderOwnerWritesAfterANewerOne_IsADoubleWrite() =>
        CommittedHistory
            .Judge([], [Row(1, 1, Saved("c1", 1)), Row(2, 3, Saved("c2", 2)), Row(3, 2, Saved("c3", 3))])
            .DoubleWrites.ShouldBe(1);

    private static EventRow Row(long sequence, long term, TaskEvent e) => new(Task, sequence, term, DateTimeOffset.UnixEpoch, e);

    private static TaskStarted Started(int run, long step) => new(run, 1, Node, 4711, step == 0 ? null : "c", step);

    private static TaskCheckpointed Saved(string name, long step) =>
        new(new CheckpointRef(name, step, 0, "interval", 1, 1, [], "", new Dictionary<string, double>()));
}
