using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>What a run's end looked like.</summary>
/// <param name="ExitCode">Exit code, or null.</param>
/// <param name="Signal">Signal number, or null.</param>
/// <param name="Error">The trainer's exception, or another text that explains the end, or null.</param>
/// <param name="LastLines">Last output lines, oldest first.</param>
internal sealed record RunEnd(int? ExitCode, int? Signal, string? Error, IReadOnlyList<string> LastLines);

/// <summary>What to do about a failure.</summary>
internal sealed record FailureVerdict(Failure Failure, FailureAction Action);

/// <summary>Gives a run's end its class and says what follows from it. Pure.</summary>
internal static class FailurePolicy
{
    private const int SignalKill = 9;
    private const int SignalSegmentation = 11;
    private const int ExitOfSignal = 128;
    private const int ExitNotExecutable = 126;
    private const int ExitNotFound = 127;

    /// <summary>Classifies a run that ended without having been asked to. The user's rules come first.</summary>
    public static FailureVerdict Classify(RunEnd end, IReadOnlyList<FailureRule> rules)
    {
        foreach (FailureRule rule in rules)
        {
            if (Matches(rule, end))
            {
                return Verdict(rule.Name, rule.Action, end);
            }
        }

        if (Mentions(end, "out of memory") || Mentions(end, "OutOfMemoryException") || Mentions(end, "MemoryError"))
        {
            return Verdict("out-of-memory", FailureAction.RetryElsewhere, end);
        }

        if (end.Signal == SignalKill)
        {
            return Verdict("killed", FailureAction.RetryElsewhere, end);
        }

        if (end.Signal is int signal)
        {
            return Verdict(signal == SignalSegmentation ? "segmentation-fault" : "signal", FailureAction.Retry, end);
        }

        if (end.ExitCode is ExitNotExecutable or ExitNotFound)
        {
            return Verdict("command-not-found", FailureAction.Stop, end);
        }

        return Verdict(end.Error is null ? "exit-code" : "exception", FailureAction.Retry, end);
    }

    /// <summary>Whether somebody killed it, the system for one; a shell that runs it says so with its exit code.</summary>
    public static bool IsByKill(RunEnd end) => end.Signal == SignalKill || end.ExitCode == ExitOfSignal + SignalKill;

    /// <summary>
    /// The wait before the next start: backoff × 2^(failures - 1), at most the largest, with jitter of plus or minus 20 % so that
    /// tasks that failed together do not come back together.
    /// </summary>
    public static TimeSpan Delay(RetrySpec retry, int failures, DeterministicRandom random)
    {
        TimeSpan wait = ExponentialBackoff.After(retry.Backoff, failures - 1, retry.MaxBackoff);
        return TimeSpan.FromMilliseconds(Math.Round(wait.TotalMilliseconds * (0.8 + (0.4 * random.NextDouble()))));
    }

    private static bool Matches(FailureRule rule, RunEnd end) =>
        (rule.ExitCode is null || rule.ExitCode == end.ExitCode)
        && (rule.Signal is null || rule.Signal == end.Signal)
        && (rule.Pattern is null || Mentions(end, rule.Pattern));

    private static bool Mentions(RunEnd end, string text) =>
        (end.Error?.Contains(text, StringComparison.OrdinalIgnoreCase) ?? false)
        || end.LastLines.Any(line => line.Contains(text, StringComparison.OrdinalIgnoreCase));

    private static FailureVerdict Verdict(string name, FailureAction action, RunEnd end) =>
        new(new Failure(name, Describe(end), end.ExitCode, end.Signal, end.LastLines), action);

    /// <summary>How it ended, as the end of a sentence.</summary>
    public static string Describe(RunEnd end)
    {
        string how =
            end.Signal is int signal ? FormattableString.Invariant($"ended by signal {signal}")
            : end.ExitCode is int code ? FormattableString.Invariant($"exited with code {code}")
            : "ended";
        return end.Error is null ? how : $"{how}: {FirstLine(end.Error)}";
    }

    private static string FirstLine(string text)
    {
        int newline = text.AsSpan().IndexOfAny('\r', '\n');
        return newline < 0 ? text : text[..newline];
    }
}
