using System.Runtime.Versioning;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Measures the memory of this process, which other tests would change meanwhile.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Lane", "Slow")]
[Collection(Alone)]
public sealed class OutputVolumeTests
{
    private const string Alone = "alone";

    [Theory]
    [InlineData("yes 'a line of forty characters, more or less' | head -c 16777216 > block; for i in $(seq 64); do cat block; done")]
    [InlineData("yes | head -c 16777216 > block; for i in $(seq 64); do cat block; done")]
    [InlineData("head -c 1073741824 /dev/zero")]
    public async Task Output_OfAGigabyte_CostsNeitherMemoryNorDisk(string script)
    {
        const long logMax = 4L << 20;
        const long memoryMax = 20L << 20;
        await using WorkerHarness harness = await WorkerHarness.StartAsync(new WorkerModel { LogMaxBytes = logMax });
        _ = await harness.RunAsync("echo warm", WorkerHarness.Key(1));
        GC.Collect();
        long guardBefore = WorkerHarness.Memory(harness.Host.GuardPid);
        long hereBefore = WorkerHarness.Memory(Environment.ProcessId);
        WorkerExited exited = await harness.RunAsync(script + "; echo; echo the end", WorkerHarness.Key(2));
        exited.ExitCode.ShouldBe(0);
        exited.LastLines[^1].ShouldBe("the end");
        exited.LastLines.Count.ShouldBeLessThanOrEqualTo(20);
        exited.LastLines.ShouldAllBe(line => line.Length <= 400);
        (WorkerHarness.Memory(harness.Host.GuardPid, "VmHWM") - guardBefore).ShouldBeLessThan(memoryMax);
        (WorkerHarness.Memory(Environment.ProcessId) - hereBefore).ShouldBeLessThan(memoryMax);
        OutputFile[] files = [.. harness.Host.OutputFiles(WorkerHarness.Key().Task).Where(file => file.Run == 2)];
        files.Length.ShouldBe(2);
        files.Sum(file => new FileInfo(file.Path).Length).ShouldBeInRange(logMax / 2, logMax);
        (await File.ReadAllTextAsync(files[1].Path)).ShouldEndWith("the end\n");
    }

    /// <summary>Its tests run when all others have.</summary>
    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class Definition;
}
