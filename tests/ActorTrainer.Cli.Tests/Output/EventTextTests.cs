using ActorTrainer.Cli.Output;
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
}
