using System.IO.Compression;
using System.Runtime.Versioning;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>Environments that tasks need of their nodes.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class EnvironmentTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Requires", "venv")]
    public async Task Run_BundleWithRequirements_InstallsThemOnceAndSaysWhereThatFails()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        Directory.CreateDirectory(_folder["code"]);
        WriteWheel(_folder["code/tiny-1.0-py3-none-any.whl"]);
        File.WriteAllText(_folder["code/requirements.txt"], "--no-index\n./tiny-1.0-py3-none-any.whl\n");
        File.WriteAllText(_folder["code/nowhere.txt"], "--no-index\nno-such-package\n");
        File.WriteAllText(_folder["code/train.py"], "import os, sys, tiny\nprint(tiny.word, sys.prefix == os.environ['VIRTUAL_ENV'])\n");

        CommandResult first = await RunAsync("first", "requirements.txt");
        CommandResult second = await RunAsync("second", "requirements.txt");
        CommandResult failed = await RunAsync("failed", "nowhere.txt");
        CommandResult missing = await RunAsync("missing", "no-such-file.txt");

        first.ExitCode.ShouldBe(0, first.Error);
        first.Output.ShouldContain("--- environment: pip install -r requirements.txt ---\n");
        first.Output.ShouldEndWith("--- environment: made ---\nfrom the wheel True\n");
        first.Error.ShouldMatch("task first is pending: preparing the environment on [0-9.:]+: pip install -r requirements.txt\n");
        (second.ExitCode, second.Output).ShouldBe((0, "from the wheel True\n"), second.Error);
        failed.ExitCode.ShouldBe(1);
        failed.Output.ShouldContain("No matching distribution found for no-such-package");
        failed.Error.ShouldContain("the environment could not be made: pip install -r nowhere.txt failed with exit code 1: ERROR: ");
        missing.Error.ShouldContain("The requirements 'no-such-file.txt' are not in the bundle of ");
        (await cluster.RunAsync("events", "first", "--all")).Output.ShouldContain("preparing");
        (await cluster.RunAsync("events", "second", "--all")).Output.ShouldNotContain("preparing");
        (await cluster.RunAsync("tasks", "show", "first")).Output.ShouldContain("requirements requirements.txt");

        Task<CommandResult> RunAsync(string name, string requirements) =>
            cluster.RunAsync(
                "run",
                "--name",
                name,
                "--bundle",
                _folder["code"],
                "--requirements",
                requirements,
                "--max-attempts",
                "0",
                "--",
                "python3",
                "train.py"
            );
    }

    /// <summary>What the node that was lost had begun is not taken for complete when it is back.</summary>
    [Fact]
    public async Task Submit_NodeIsKilledWhileItMakesTheEnvironment_MakesItAnew()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        string shared = _folder["shared"];
        Directory.CreateDirectory(shared);
        File.WriteAllText(
            _folder["task.conf"],
            $$"""""
            task {
              name = made
              command = [sh, -c, "cat $ACTORTRAINER_ENVIRONMENT/half $ACTORTRAINER_ENVIRONMENT/whole > {{shared}}/got"]
              environment.setup = """
                echo x >> $ACTORTRAINER_ENVIRONMENT/half
                echo $$ >> {{shared}}/began
                until [ -e {{shared}}/go ]; do sleep 0.1; done
                echo y > $ACTORTRAINER_ENVIRONMENT/whole"""
            }
            """""
        );
        (await cluster.RunAsync("submit", _folder["task.conf"])).ExitCode.ShouldBe(0);
        await BeganAsync(1);

        await cluster.Nodes[0].KillAsync();
        cluster.Nodes[0].Start();
        await BeganAsync(2);
        string[] pids = File.ReadAllLines(Path.Combine(shared, "began"));
        ProcessInfo.All().ShouldNotContain(process => $"{process.Pid}" == pids[0]);
        File.WriteAllText(Path.Combine(shared, "go"), "");
        await new ObservedTask(cluster, "made").WaitForEndAsync(Core.Tasks.TaskStatus.Completed);

        File.ReadAllText(Path.Combine(shared, "got")).ShouldBe("x\ny\n");

        Task BeganAsync(int count) =>
            cluster.WaitAsync(
                $"it is made for the {count}. time",
                () =>
                    Task.FromResult(
                        File.Exists(Path.Combine(shared, "began")) && File.ReadAllLines(Path.Combine(shared, "began")).Length == count
                    ),
                Limit
            );
    }

    [Fact]
    public async Task Run_VenvThatNoNodeHas_WaitsWithTheReasonAndCostsNoAttempt()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        File.WriteAllText(
            _folder["task.conf"],
            $$"""task { name = waits, command = [tool], environment.venv = venv, retry { max-attempts = 0, backoff = 100 ms } }"""
        );
        (await cluster.RunAsync("submit", _folder["task.conf"])).ExitCode.ShouldBe(0);
        string detail = "";
        await cluster.WaitAsync(
            "it says what it waits for",
            async () =>
                (detail = (await cluster.Client.GetTaskAsync("waits")).Task.Detail).StartsWith(
                    "waits for a node",
                    StringComparison.Ordinal
                ),
            Limit
        );
        detail.ShouldContain($"The virtual environment '{_folder["venv"]}' is not on this node");

        Directory.CreateDirectory(_folder["venv/bin"]);
        File.CreateSymbolicLink(_folder["venv/bin/python"], "/bin/sh");
        File.CreateSymbolicLink(_folder["venv/bin/tool"], "/bin/true");
        await new ObservedTask(cluster, "waits").WaitForEndAsync(Core.Tasks.TaskStatus.Completed);

        (await cluster.Client.GetTaskAsync("waits")).Task.Failures.ShouldBe(0);
    }

    /// <summary>A package as pip takes it without an index: three files in an archive.</summary>
    private static void WriteWheel(string path)
    {
        using ZipArchive wheel = ZipFile.Open(path, ZipArchiveMode.Create);
        Add("tiny.py", "word = 'from the wheel'\n");
        Add("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n");
        Add("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
        Add(
            "tiny-1.0.dist-info/RECORD",
            "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n"
        );

        void Add(string name, string content)
        {
            using StreamWriter writer = new(wheel.CreateEntry(name).Open());
            writer.Write(content);
        }
    }
}
