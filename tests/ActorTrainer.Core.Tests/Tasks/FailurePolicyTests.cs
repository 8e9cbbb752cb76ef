using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

public sealed class FailurePolicyTests
{
    [Theory]
    [InlineData(1, null, null, "", "exit-code", FailureAction.Retry)]
    [InlineData(1, null, "boom", "", "exception", FailureAction.Retry)]
    [InlineData(126, null, null, "", "command-not-found", FailureAction.Stop)]
    [InlineData(127, null, null, "", "command-not-found", FailureAction.Stop)]
    [InlineData(null, 9, null, "", "killed", FailureAction.RetryElsewhere)]
    [InlineData(null, 11, null, "", "segmentation-fault", FailureAction.Retry)]
    [InlineData(null, 6, null, "", "signal", FailureAction.Retry)]
    [InlineData(1, null, null, "torch.OutOfMemoryError: CUDA out of memory", "out-of-memory", FailureAction.RetryElsewhere)]
    [InlineData(1, null, "System.OutOfMemoryException", "", "out-of-memory", FailureAction.RetryElsewhere)]
    [InlineData(1, null, null, "MemoryError", "out-of-memory", FailureAction.RetryElsewhere)]
    [InlineData(null, null, null, "", "exit-code", FailureAction.Retry)]
    public void Classify_BuiltIn_GivesClassAndAction(int? code, int? signal, string? error, string line, string name, FailureAction action)
    {
        FailureVerdict verdict = FailurePolicy.Classify(new RunEnd(code, signal, error, [line]), []);
        (verdict.Failure.Class, verdict.Action).ShouldBe((name, action));
        (verdict.Failure.ExitCode, verdict.Failure.Signal).ShouldBe((code, signal));
        verdict.Failure.LastLines.ShouldBe([line]);
    }

    [Theory]
    [InlineData(3, null, "data server is away", "by-all")]
    [InlineData(3, null, "something else", "by-code")]
    [InlineData(null, 9, "", "by-signal")]
    [InlineData(4, null, "DATA SERVER IS AWAY", "by-pattern")]
    [InlineData(4, null, "", "exit-code")]
    public void Classify_Rules_FirstWhoseConditionsAllHold(int? code, int? signal, string line, string name)
    {
        FailureRule[] rules =
        [
            new("by-all", FailureAction.Hold, 3, null, "data server"),
            new("by-code", FailureAction.Stop, 3, null, null),
            new("by-signal", FailureAction.Hold, null, 9, null),
            new("by-pattern", FailureAction.Hold, null, null, "data server is away"),
        ];
        FailurePolicy.Classify(new RunEnd(code, signal, null, [line]), rules).Failure.Class.ShouldBe(name);
    }

    [Theory]
    [InlineData(null, 9, null, "ended by signal 9")]
    [InlineData(2, null, null, "exited with code 2")]
    [InlineData(null, null, null, "ended")]
    [InlineData(1, null, "bad shape\r\n at Train()", "exited with code 1: bad shape")]
    public void Classify_Detail_IsOneLine(int? code, int? signal, string? error, string detail) =>
        FailurePolicy.Classify(new RunEnd(code, signal, error, []), []).Failure.Detail.ShouldBe(detail);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 8)]
    [InlineData(9, 60)]
    [InlineData(1_000_000, 60)]
    public void Delay_Failures_DoublesUpToTheLargestWithJitter(int failures, double seconds)
    {
        RetrySpec retry = new() { Backoff = TimeSpan.FromSeconds(1), MaxBackoff = TimeSpan.FromSeconds(60) };
        DeterministicRandom random = new(5);
        double[] delays = [.. Enumerable.Range(0, 500).Select(_ => FailurePolicy.Delay(retry, failures, random).TotalSeconds)];
        delays.Min().ShouldBeInRange(seconds * 0.8, seconds * 0.82);
        delays.Max().ShouldBeInRange(seconds * 1.18, seconds * 1.2);
    }
}
