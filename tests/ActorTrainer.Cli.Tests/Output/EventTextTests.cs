using ActorTrainer.Cli.Output;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Tests.Output;

public sealed class EventTextTests
{
    [Fact]
    public void Details_NodeThatLacksTheExecutable_IsNoFailureOfTheTask()
    {
        Failure failure = new("node-unfit", "127.0.0.1:7401: 'tool' was not found", null, null, []);
        TaskRetryScheduled unfit = new(0, failure, TimeSpan.FromSeconds(2), Elsewhere: true, 3) { NodeUnfit = true };

        EventText
            .Details(unfit)
            .ShouldBe("no failure of its own: 127.0.0.1:7401: 'tool' was not found (looked for on other nodes, again in 2s)");
    }

    [Fact]
    public void Details_FailureBesideWorkersOfALostNode_IsSaidNotToCount()
    {
        Failure failure = new("exit-code", "exited with code 1", 1, null, []);
        TaskRetryScheduled beside = new(0, failure, TimeSpan.FromSeconds(1), Elsewhere: false, 3) { FormerMayLive = true };

        EventText
            .Details(beside)
            .ShouldBe("exit-code: exited with code 1; not counted, workers of the lost node may have lived until then (again in 1s)");
    }

    [Fact]
    public void Details_SavesArePaced_SaysFromWhatToWhatAndWhy()
    {
        SavePace pace = new(
            TimeSpan.FromSeconds(2.5),
            SavePaceReason.Overhead,
            TimeSpan.FromMilliseconds(12),
            TimeSpan.FromMilliseconds(8),
            TimeSpan.FromMilliseconds(400),
            TimeSpan.FromHours(3),
            1
        );
        const string why =
            "as more saves would take more of the time than max-overhead allows: a save costs 20ms (standstill 12ms, slower steps 8ms) "
            + "and is committed after 400ms; 1 loss in 3h of training, taken as one in 13h";

        EventText.Name(new TaskSavesPaced(null, pace)).ShouldBe("saves-paced");
        EventText.Details(new TaskSavesPaced(null, pace)).ShouldBe($"every 2.5s, {why}");
        EventText.Details(new TaskSavesPaced(TimeSpan.FromSeconds(59), pace)).ShouldBe($"every 2.5s, before every 59s; {why}");
    }

    [Fact]
    public void Details_FullSave_SaysWhyItSharesNothing()
    {
        CheckpointRef saved = new("c-1-10-aaaa", 10, 1, "interval", 2048, 1024, [], "ab", new Dictionary<string, double>());
        EventText.Details(new TaskCheckpointed(saved)).ShouldEndWith("stored");
        EventText
            .Details(new TaskCheckpointed(saved) { Full = "one of 20 saves does so" })
            .ShouldEndWith("stored, shares nothing (one of 20 saves does so)");
    }
}
