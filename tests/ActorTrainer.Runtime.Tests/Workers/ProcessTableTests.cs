using System.Diagnostics;
using System.Runtime.Versioning;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

[UnsupportedOSPlatform("windows")]
public sealed class ProcessTableTests
{
    [Fact]
    public async Task ChildrenOf_AProcess_AreThoseThatItHasNotWaitedFor()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        ProcessStartInfo start = new("/bin/sh", ["-c", "sleep 60 & echo $!; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process shell = Process.Start(start)!;
        int sleep = int.Parse((await shell.StandardOutput.ReadLineAsync())!, System.Globalization.CultureInfo.InvariantCulture);

        ProcessTable.ChildrenOf(shell.Id).ShouldBe([sleep]);
        ProcessTable.ChildrenOf(sleep).ShouldBe([]);

        using Process child = Process.GetProcessById(sleep);
        child.Kill();
        shell.Kill();
        await shell.WaitForExitAsync();
        ProcessTable.ChildrenOf(shell.Id).ShouldBeNull("it is gone");
    }

    /// <summary>By its environment a process is known to be of a run; in the middle of an exec it has none for a moment.</summary>
    [Fact]
    public async Task EnvironmentOf_AProcessThatExecsAllTheTime_IsAlwaysKnown()
    {
        const string script = "n=$((${n:-0} + 1)); export n; test $n -lt 300 && exec sh -c \"$again\"; exit 0";
        ProcessStartInfo start = new("/bin/sh", ["-c", script]);
        start.Environment["again"] = script;
        start.Environment["OF_THE_RUN"] = "it is";
        using Process process = Process.Start(start)!;
        long started = ProcessTable.ReadOne(process.Id)!.Value.StartTicks;
        int looks = 0;
        while (!ProcessTable.IsEnding(process.Id, started))
        {
            string? value = ProcessTable.EnvironmentOf(process.Id, "OF_THE_RUN");
            if (!ProcessTable.IsEnding(process.Id, started))
            {
                value.ShouldBe("it is");
                looks++;
            }
        }

        looks.ShouldBeGreaterThan(0);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
