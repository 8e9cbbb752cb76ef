namespace ActorTrainer.Build.Tests;

public sealed class FormatterTests
{
    [Fact]
    public void ProblemIn_FilesThatAreNotFormatted_NamesThemAndWhatToDo()
    {
        string output = "Error ./src/A.cs - Was not formatted.\n  --- Expected: Around Line 6 ---\n  {\nChecked 670 files in 2568ms.\n";

        string? problem = Formatter.ProblemIn(new ChildResult(1, false, false, output));

        problem.ShouldBe("not formatted, './build.sh format' formats them:\nsrc/A.cs - Was not formatted.");
    }

    [Fact]
    public void ProblemIn_ToolThatDidNotRun_HasAllItWrote() =>
        Formatter.ProblemIn(new ChildResult(1, false, false, "no such feed")).ShouldNotBeNull().ShouldContain("no such feed");

    [Fact]
    public void ProblemIn_NothingToFormat_IsNone() =>
        Formatter.ProblemIn(new ChildResult(0, false, false, "Checked 670 files.")).ShouldBeNull();
}
