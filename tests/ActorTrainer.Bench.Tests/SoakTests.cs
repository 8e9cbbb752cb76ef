using ActorTrainer.Bench.Soak;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Tests;

public sealed class SoakTests
{
    private static readonly SoakOptions Options = new("sqlite", 15, 7);
    private static readonly SoakedTask Good = new("soak-1", "completed", Completed: true, "abc", "abc", LostSteps: 0, []);

    [Fact]
    public void Overlap_TwoWorkersForSomeLooks_LastsFromTheFirstToTheLast()
    {
        OverlapLog log = new();
        log.Look(1000, ["a", "b"]);
        log.Look(1200, ["a", "a", "b"]);
        log.Look(1400, ["a", "b", "a"]);
        log.Look(1700, ["a", "a"]);
        log.Look(1900, ["a", "b"]);

        (log.Longest, log.LongestTask, log.Count).ShouldBe((500, "a", 1));
    }

    [Fact]
    public void Overlap_InterruptedOnce_IsTwoAndNotOneLongOne()
    {
        OverlapLog log = new();
        log.Look(0, ["a", "a"]);
        log.Look(200, ["a", "a"]);
        log.Look(400, ["a"]);
        log.Look(600, ["a", "a"]);

        (log.Longest, log.Count).ShouldBe((200, 2));
    }

    [Fact]
    public void Plan_OfASeed_IsTheSameAgainAndKeepsItsLimits()
    {
        FaultPlan plan = new(42);
        FaultPlan again = new(42);
        Fault[] faults = [.. Enumerable.Range(0, 500).Select(_ => plan.Next())];

        faults.ShouldBe([.. Enumerable.Range(0, 500).Select(_ => again.Next())]);
        faults.Select(fault => fault.Kind).Distinct().Order().ShouldBe(Enum.GetValues<FaultKind>());
        faults.ShouldAllBe(fault => fault.Pause >= TimeSpan.FromSeconds(5) && fault.Pause <= TimeSpan.FromSeconds(15));
        faults.Max(fault => fault.Length).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(30));
        new FaultPlan(43).Next().ShouldNotBe(faults[0]);
    }

    [Fact]
    public void Verdict_EverythingInOrder_FindsNothing()
    {
        SoakVerdict verdict = new(Options, 90, [Good], LongestOverlap: 10_000, "soak-1", Orphans: 0, []);

        verdict.Findings.ShouldBeEmpty();
        verdict.Line.ShouldBe(
            "soak database=sqlite minutes=15 seed=7 faults=90 tasks=1 unfinished=0 lost_committed_steps=0 "
                + "longest_overlap_ms=10000 orphans=0 wrong_bits=0 unexpected=0"
        );
    }

    [Fact]
    public void Verdict_EachThingThatIsBad_IsFound()
    {
        SoakVerdict verdict = new(
            Options,
            3,
            [
                Good with
                {
                    Name = "lost",
                    LostSteps = 5,
                    Faults = ["lost: run 2 began too low"],
                },
                Good with
                {
                    Name = "held",
                    Completed = false,
                    Status = "held",
                    Weights = null,
                },
                Good with
                {
                    Name = "wrong",
                    Weights = "xyz",
                },
            ],
            LongestOverlap: 10_001,
            "lost",
            Orphans: 2,
            ["node 3 ended by itself"]
        );

        verdict.Findings.Count.ShouldBe(6);
        verdict.Line.ShouldEndWith(
            "tasks=3 unfinished=1 lost_committed_steps=5 longest_overlap_ms=10001 orphans=2 wrong_bits=1 unexpected=1"
        );
    }

    [Fact]
    public void Verdict_NoTaskAtAll_IsBad() => new SoakVerdict(Options, 3, [], 0, "", 0, []).Findings.ShouldHaveSingleItem();

    [Fact]
    public void Register_KnowsAProcessByItsStartToo()
    {
        using TemporaryFolder folder = new();
        ProcessInfo self = ProcessInfo.Read(Environment.ProcessId).ShouldNotBeNull();
        WorkerRegister.Write(folder.Root, "digits-a1b2c", self);

        WorkerRegister.TaskOf(folder.Root, self).ShouldBe("digits-a1b2c");
        WorkerRegister.TaskOf(folder.Root, self with { StartTicks = self.StartTicks + 1 }).ShouldBeNull("another process got its id");
        self.IsStopped.ShouldBeFalse();
    }
}
