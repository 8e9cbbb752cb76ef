using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>
/// Tasks on nodes that are killed, stopped, cut off from each other and from the journal, while their writes are late, lost or of unknown
/// outcome. Whoever takes a task for his own in the meantime: it has one history.
/// </summary>
public sealed class OwnershipModelTests
{
    [Fact]
    public void Run_WithoutFaults_EveryTaskIsDoneInOneRun()
    {
        OwnershipModel model = new(seed: 1);

        model.Settle();

        model.Runs.ShouldAllBe(runs => runs == 1);
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Schedules_AnyFaults_OneHistoryEachNothingCommittedLostAndAllDoneInTheEnd()
    {
        int contested = 0;
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
                seed =>
                {
                    OwnershipModel model = new(seed);
                    model.RunWithFaults(steps: 150);
                    model.Settle();
                    contested += model.Refused > 0 ? 1 : 0;
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

        contested.ShouldBeGreaterThan(100, "owners have met in many of the schedules, or nothing was tested");
    }
}
