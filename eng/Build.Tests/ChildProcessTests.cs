namespace ActorTrainer.Build.Tests;

public sealed class ChildProcessTests
{
    private static readonly Dictionary<string, string> Environment = new() { ["BUILD_TEST"] = "from here" };

    [Fact]
    public async Task RunCaptured_ProgramThatEnds_GivesItsOutputAndCode()
    {
        ChildResult result = await RunAsync("echo $BUILD_TEST; echo wrong >&2; cat; exit 3", TimeSpan.FromMinutes(1));

        result.ExitCode.ShouldBe(3);
        result.TimedOut.ShouldBeFalse();
        result.OutputHeldOpen.ShouldBeFalse();
        result.Output.ShouldContain("from here\n");
        result.Output.ShouldContain("wrong\n");
    }

    [Fact]
    public async Task RunCaptured_ProgramThatHangs_EndsItWithItsDescendants()
    {
        ChildResult result = await RunAsync("sleep 600 & echo child $!; sleep 600", TimeSpan.FromSeconds(1));

        result.TimedOut.ShouldBeTrue();
        result.OutputHeldOpen.ShouldBeFalse("the descendant held the pipe, so it is gone too");
        int child = int.Parse(result.Output.Split(' ')[1]);
        IsRunning(child).ShouldBeFalse();
    }

    [Fact]
    public async Task RunInherited_ProgramThatEnds_GivesItsCode()
    {
        int exitCode = await ChildProcess.RunInheritedAsync("/bin/sh", ["-c", "exit 4"], "/", Environment);

        exitCode.ShouldBe(4);
    }

    private static bool IsRunning(int pid) =>
        File.Exists($"/proc/{pid}/stat") && File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1][0] is not 'Z';

    private static Task<ChildResult> RunAsync(string script, TimeSpan timeout) =>
        ChildProcess.RunCapturedAsync("/bin/sh", ["-c", script], "/", Environment, timeout);
}
