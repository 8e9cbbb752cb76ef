using ActorTrainer.Core.Configuration;
using ActorTrainer.Journal;
using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Cluster.Tests;

public sealed class EmbeddedEngineConformanceTests(EmbeddedEngineConformanceTests.Fixture fixture) : IClassFixture<EmbeddedEngineConformanceTests.Fixture>
{
    private readonly EngineConformance _suite = fixture.Suite;

    [Fact]
    public void Suite_EveryScenario_HasATest() => EngineConformance.ShouldCover(typeof(EmbeddedEngineConformanceTests));

    [Fact]
    public Task Submit_SameNameOnAllNodesAtOnce_IsOneTask() => _suite.Submit_SameNameOnAllNodesAtOnce_IsOneTask();

    [Fact]
    public Task Submit_TwoSpecificationsAtOnce_OneIsRefused() => _suite.Submit_TwoSpecificationsAtOnce_OneIsRefused();

    [Fact]
    public Task Replies_EveryCommand_IsAcceptedOrRefusedWithTheReason() => _suite.Replies_EveryCommand_IsAcceptedOrRefusedWithTheReason();

    [Fact]
    public Task Forward_AnyNodeAsked_OwnerDoesIt() => _suite.Forward_AnyNodeAsked_OwnerDoesIt();

    [Fact]
    public Task Migrate_ToANode_GoesOnThereFromWhereItStopped() => _suite.Migrate_ToANode_GoesOnThereFromWhereItStopped();

    [Fact]
    public Task Join_TaskWaitsForSlots_RunsOnTheNewNode() => _suite.Join_TaskWaitsForSlots_RunsOnTheNewNode();

    [Fact]
    public Task Rebalance_NodeJoinsAFullOne_TasksEvenOutAndLoseNoStep() => _suite.Rebalance_NodeJoinsAFullOne_TasksEvenOutAndLoseNoStep();

    [Fact]
    public Task Leave_BySignal_TasksGoOnElsewhereAndNoStepIsDoneAgain() => _suite.Leave_BySignal_TasksGoOnElsewhereAndNoStepIsDoneAgain();

    [Fact]
    public Task Drain_ThroughAnotherNode_AnswersWhenTheNodeIsEmpty() => _suite.Drain_ThroughAnotherNode_AnswersWhenTheNodeIsEmpty();

    [Fact]
    public Task Crash_OwnerThenCoordinator_TaskGoesOnElsewhere() => _suite.Crash_OwnerThenCoordinator_TaskGoesOnElsewhere();

    [Fact]
    public Task Remember_AllNodesKilledAtOnce_UnfinishedTasksGoOnByThemselves() => _suite.Remember_AllNodesKilledAtOnce_UnfinishedTasksGoOnByThemselves();

    [Fact]
    public async Task Fence_OwnerStoppedAndContinued_WritesNothingAndComesBack()
    {
        await _suite.Fence_OwnerStoppedAndContinued_WritesNothingAndComesBack();

        (await DoubleWriters.CountAsync(_suite.Shared!.JournalPath)).ShouldBe(0);
    }

    [Fact]
    public Task Callbacks_NodesAreLostComeBackAndLeave_AreToldOnceAndInOrder() => _suite.Callbacks_NodesAreLostComeBackAndLeave_AreToldOnceAndInOrder();

    public sealed class Fixture : IAsyncLifetime
    {
        public EngineConformance Suite { get; } = new(EngineKind.Embedded);

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => Suite.DisposeAsync();
    }
}
