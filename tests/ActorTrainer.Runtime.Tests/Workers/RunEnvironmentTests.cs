using System.Runtime.Versioning;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Secrets and umask of a run's processes.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Lane", "Slow")]
public sealed class RunEnvironmentTests
{
    [Fact]
    public void PathWithCommandLine_ExecutableOfTheCommandLine_HasItsFolderLast()
    {
        using TemporaryFolder folder = new();
        string own = folder["actortrainer"];
        File.WriteAllText(own, "");
        File.SetUnixFileMode(own, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        WorkerEnvironment.PathWithCommandLine("/usr/bin:/bin", own).ShouldBe($"/usr/bin:/bin:{folder.Root}");
        WorkerEnvironment.PathWithCommandLine(null, own).ShouldBe($"/usr/local/bin:/usr/bin:/bin:{folder.Root}");
        WorkerEnvironment.PathWithCommandLine("", own).ShouldBe(folder.Root);
        WorkerEnvironment.PathWithCommandLine($"{folder.Root}:/bin", own).ShouldBeNull("it is found already");
        WorkerEnvironment.PathWithCommandLine("/bin", folder["host"]).ShouldBe($"/bin:{folder.Root}", "a host beside the command line");
    }

    [Fact]
    public void PathWithCommandLine_HostWithoutTheCommandLine_IsLeftAlone()
    {
        using TemporaryFolder folder = new();

        WorkerEnvironment.PathWithCommandLine("/bin", folder["host"]).ShouldBeNull();
        Directory.CreateDirectory(folder["actortrainer"]);
        WorkerEnvironment.PathWithCommandLine("/bin", folder["host"]).ShouldBeNull("that is a folder");
    }

    [Theory]
    [InlineData("hunter2", "hunter2")]
    [InlineData("hunter2\n", "hunter2")]
    [InlineData("hunter2\r\n", "hunter2")]
    [InlineData("two\nlines\n\n", "two\nlines\n")]
    [InlineData("", "")]
    public async Task Start_SecretInAFile_IsInTheEnvironmentAsItStandsThere(string content, string value)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string file = Path.Combine(harness.Directory, "secret");
        string got = Path.Combine(harness.Directory, "got");
        await File.WriteAllTextAsync(file, content);

        WorkerExited exited = await RunAsync(harness, WithSecret($"printf %s \"$TOKEN\" > {got}", $"file:{file}"));

        exited.ExitCode.ShouldBe(0);
        (await File.ReadAllTextAsync(got)).ShouldBe(value);
    }

    /// <summary>As Kubernetes puts them there.</summary>
    [Fact]
    public async Task Start_SecretBehindALink_IsReadAnewByEachRun()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string file = Path.Combine(harness.Directory, "secret");
        string link = Path.Combine(harness.Directory, "link");
        File.CreateSymbolicLink(link, file);
        TaskSpec spec = WithSecret("echo $TOKEN", $"file:{link}");

        await File.WriteAllTextAsync(file, "first");
        (await RunAsync(harness, spec)).LastLines.ShouldBe(["first"]);
        await File.WriteAllTextAsync(file, "second");
        (await RunAsync(harness, spec, number: 2)).LastLines.ShouldBe(["second"]);
    }

    [Fact]
    public async Task Start_SecretThatCannotBeRead_SaysWhichVariableAndFile()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string large = Path.Combine(harness.Directory, "large");
        string binary = Path.Combine(harness.Directory, "binary");
        string zero = Path.Combine(harness.Directory, "zero");
        await File.WriteAllTextAsync(large, new string('x', SecretFiles.MaxBytes + 1));
        await File.WriteAllBytesAsync(binary, [0xff, 0xfe, 0x41]);
        await File.WriteAllTextAsync(zero, "hunter2\0");
        (string Path, string Problem)[] cases =
        [
            ("/no/such/secret", "which does not exist on this node"),
            (harness.Directory, "which is not a file"),
            ("/dev/zero", "which is not a file"),
            (large, "which holds more than 64 KiB"),
            (binary, "which is not UTF-8 text"),
            (zero, "which holds a zero character"),
        ];
        for (int i = 0; i < cases.Length; i++)
        {
            RunKey run = WorkerHarness.Key(i + 1);
            harness.Start(run, WithSecret("true", $"file:{cases[i].Path}"));

            string detail = (await harness.WaitAsync<WorkerStartFailed>(failed => failed.Run == run)).Detail;

            detail.ShouldStartWith($"The variable TOKEN has its secret in {cases[i].Path}, {cases[i].Problem}");
            detail.ShouldNotContain("hunter2");
        }
    }

    [Theory]
    [InlineData("077", "600")]
    [InlineData("0002", "664")]
    public async Task Start_TaskWithAUmask_ItsFilesHaveTheModeAndNobodyElses(string umask, string mode)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string[] before = (await RunAsync(harness, WorkerHarness.Shell("umask"))).LastLines.ToArray();

        WorkerExited exited = await RunAsync(
            harness,
            WorkerHarness.Shell("touch new; stat -c %a new; sh -c umask") with
            {
                Umask = umask,
            },
            number: 2
        );

        exited.LastLines.ShouldBe([mode, umask.PadLeft(4, '0')]);
        (await RunAsync(harness, WorkerHarness.Shell("umask"), number: 3)).LastLines.ShouldBe(before);
        UnixFileMode[] outputs = [.. harness.Host.OutputFiles(WorkerHarness.Key().Task).Select(file => File.GetUnixFileMode(file.Path))];
        outputs.Length.ShouldBe(3);
        outputs.Distinct().ShouldHaveSingleItem();
    }

    /// <summary>A spare stands already, with the node's umask.</summary>
    [Fact]
    public async Task Start_TrainerWithAUmask_GetsAProcessOfItsOwn()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(program: "real");
        await WorkerHarness.UntilAsync(() => harness.Host.ReadySpares.Count > 0, "a spare stands ready");
        int spare = harness.Host.ReadySpares[0];

        harness.Start(WorkerHarness.Key(), WorkerHarness.Probe() with { Umask = "027" });

        int pid = (await harness.WaitAsync<WorkerStarted>()).Pid;
        pid.ShouldNotBe(spare);
        (await File.ReadAllLinesAsync($"/proc/{pid}/status")).ShouldContain("Umask:\t0027");
    }

    private static TaskSpec WithSecret(string script, string source) =>
        WorkerHarness.Shell(script) with
        {
            Secrets = new Dictionary<string, string> { ["TOKEN"] = source },
        };

    private static async Task<WorkerExited> RunAsync(WorkerHarness harness, TaskSpec spec, int number = 1)
    {
        RunKey run = WorkerHarness.Key(number);
        harness.Start(run, spec);
        return await harness.WaitAsync<WorkerExited>(exited => exited.Run == run);
    }
}
