namespace ActorTrainer.Build.Suites;

/// <summary>How a suite went.</summary>
/// <param name="Name">The test project's name.</param>
/// <param name="Report">What its results file says.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Problem">What kept the suite itself from ending well (it hung, crashed, was not built); null: nothing.</param>
/// <param name="Log">The last lines it wrote, shown with a problem.</param>
/// <param name="Note">Something worth saying that is not a failure; null: nothing.</param>
internal sealed record SuiteResult(
    string Name,
    TrxReport Report,
    TimeSpan Elapsed,
    string? Problem = null,
    string Log = "",
    string? Note = null
)
{
    /// <summary>Whether it ran and held no test at all.</summary>
    public bool IsEmpty => Problem is null && Report.Passed + Report.Failures.Count + Report.Skipped.Count == 0;
}
