using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Cluster.Tests;

/// <summary>On SQLite.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteClusterConformanceTests(SqliteClusterConformanceTests.Fixture fixture)
    : ClusterConformanceTests(fixture.Suite),
        IClassFixture<SqliteClusterConformanceTests.Fixture>
{
    public sealed class Fixture() : SuiteFixture(null);
}

/// <summary>On PostgreSQL; on a server of its own, so that it runs beside the other tests of PostgreSQL.</summary>
[Trait("Requires", "postgresql")]
[Trait("Lane", "Slow")]
public sealed class PostgreSqlClusterConformanceTests(PostgreSqlClusterConformanceTests.Fixture fixture)
    : ClusterConformanceTests(fixture.Suite),
        IClassFixture<PostgreSqlClusterConformanceTests.Fixture>
{
    public sealed class Fixture() : SuiteFixture(new PostgreSqlServer());
}

public abstract class ClusterConformanceTests(ClusterConformance suite)
{
    private readonly ClusterConformance _suite = suite;

    [Fact]
    public void Suite_EveryScenario_HasATest() => ClusterConformance.ShouldCover(typeof(ClusterConformanceTests));

    [Fact]
    public Task Submit_SameNameOnAllNodesAtOnce_IsOneTask() => _suite.Submit_SameNameOnAllNodesAtOnce_IsOneTask();

    [Fact]
    public Task Submit_TwoSpecificationsAtOnce_OneIsRefused() => _suite.Submit_TwoSpecificationsAtOnce_OneIsRefused();

    [Fact]
    public Task Replies_EveryCommand_IsAcceptedOrRefusedWithTheReason() => _suite.Replies_EveryCommand_IsAcceptedOrRefusedWithTheReason();

    [Fact]
    public Task Forward_AnyNodeAsked_OwnerDoesIt() => _suite.Forward_AnyNodeAsked_OwnerDoesIt();

    [Fact]
    public Task Restore_ChosenCheckpoint_GoesOnFromItAndSoDoesANewTask() => _suite.Restore_ChosenCheckpoint_GoesOnFromItAndSoDoesANewTask();

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
    public Task Remember_AllNodesKilledAtOnce_UnfinishedTasksGoOnByThemselves() =>
        _suite.Remember_AllNodesKilledAtOnce_UnfinishedTasksGoOnByThemselves();

    [Fact]
    public Task Fence_OwnerStoppedAndContinued_WritesNothingAndComesBack() =>
        _suite.Fence_OwnerStoppedAndContinued_WritesNothingAndComesBack();

    [Fact]
    public Task Callbacks_NodesAreLostComeBackAndLeave_AreToldOnceAndInOrder() =>
        _suite.Callbacks_NodesAreLostComeBackAndLeave_AreToldOnceAndInOrder();

    /// <summary>The suite, whose scenarios share a cluster.</summary>
    public abstract class SuiteFixture(PostgreSqlServer? server) : IAsyncLifetime
    {
        private ClusterConformance? _suite;

        public ClusterConformance Suite => _suite ?? throw new InvalidOperationException("the server is not started yet");

        public async Task InitializeAsync()
        {
            if (server is not null)
            {
                await server.InitializeAsync();
            }

            _suite = new(server?.Instance);
        }

        public async Task DisposeAsync()
        {
            if (_suite is { } suite)
            {
                await suite.DisposeAsync();
            }

            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
    }
}
