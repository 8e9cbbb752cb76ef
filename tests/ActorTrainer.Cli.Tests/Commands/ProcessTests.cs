using System.Diagnostics;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>The executable itself, its output piped.</summary>
[Trait("Lane", "Slow")]
public sealed class ProcessTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-cli").FullName;
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(SampleCluster.Create());

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task TasksLs_Piped_IsPlainText()
    {
        CliResult result = await RunAsync("tasks", "ls", "--utc", "--node", _server.Address.ToString());

        result.Code.ShouldBe(0);
        result.Out.ShouldNotContain('\e');
        result.Out.ShouldStartWith("NAME");
        result.Error.ShouldBe("");
    }

    [Fact]
    public async Task TasksLs_NoNode_Exits3()
    {
        CliResult result = await RunAsync("tasks", "ls", "--node", "127.0.0.1:1");

        result.Code.ShouldBe(3);
        result.Error.ShouldBe("actortrainer: no node answers at 127.0.0.1:1; start one with 'actortrainer node' or give --node\n");
    }

    [Fact]
    public async Task Node_PortIsInUse_Exits2WithOneMessage()
    {
        CliResult result = await RunAsync("node", "--address", _server.Address.ToString());

        result.Code.ShouldBe(2);
        result.Error.ShouldStartWith($"actortrainer: {_server.Address}: the port is in use by another process");
        result.Error.TrimEnd('\n').ShouldNotContain('\n');
    }

    [Fact]
    public async Task ConfigCheck_UnknownKey_Exits2WithFileLineAndColumn()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "node.conf"), "actortrainer {\n  node.slotz = 3\n}\n");

        CliResult result = await RunAsync("config", "check", "node.conf");

        result.Code.ShouldBe(2);
        result.Error.ShouldStartWith("node.conf:2:");
        result.Error.ShouldContain("slotz");
        result.Error.ShouldContain("slots");
        result.Error.TrimEnd('\n').ShouldNotContain('\n');
        result.Out.ShouldBe("");
    }

    [Fact]
    public async Task ConfigCheck_TaskAndNode_SaysWhatTheyAre()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "task.conf"), "task { name = digits, command = [\"true\"] }\n");
        await File.WriteAllTextAsync(Path.Combine(_folder, "node.conf"), "actortrainer.cluster.name = lab\n");

        CliResult result = await RunAsync("config", "check", "task.conf", "node.conf");

        result.Error.ShouldBe("");
        result.Out.ShouldBe("task.conf: ok, task digits\nnode.conf: ok, node 127.0.0.1-7400 of cluster lab\n");
    }

    [Fact]
    public async Task ConfigCheck_NeitherTaskNorNode_SaysWhatIsMissing()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "x.conf"), "tsk { name = digits }\n");

        CliResult result = await RunAsync("config", "check", "x.conf");

        result.Code.ShouldBe(2);
        result.Error.ShouldContain(
            "there is neither task { … } nor actortrainer { … } here; begin with one of them. Is tsk meant to be it?"
        );
    }

    [Fact]
    public async Task ConfigShow_Node_HasEveryDefault()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "node.conf"), "actortrainer.cluster.name = lab\n");

        CliResult result = await RunAsync("config", "show", "node.conf");

        result.Code.ShouldBe(0);
        result.Out.ShouldContain("name = lab");
        result.Out.ShouldContain("heartbeat-interval");
    }

    [Fact]
    public async Task ConfigShow_EmptyName_Exits2WithWhatToDo()
    {
        CliResult result = await RunAsync("config", "show", "");

        result.Code.ShouldBe(2);
        result.Error.ShouldBe("'': this is not the name of a file. Name a configuration file, for example node.conf.\n");
    }

    [Fact]
    public async Task ConfigShow_Akka_HasTheDerivedSectionWithPlaces()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "node.conf"),
            "mine = 1\nakka.loglevel = WARNING\nactortrainer {\n  node.address = \"127.0.0.1:7401\"\n}\n"
        );

        CliResult result = await RunAsync("config", "show", "node.conf");

        result.Error.ShouldBe("");
        result.Code.ShouldBe(0);
        result.Out.ShouldContain("mine = 1  # node.conf:1:8\n");
        result.Out.ShouldContain("port = 8401  # derived from actortrainer.node.address (node.conf:4:18)\n");
        result.Out.ShouldContain("  loglevel = WARNING  # node.conf:2:17\n");
        result.Out.Split('\n').Count(line => line == "akka {").ShouldBe(1);
    }

    [Theory]
    [InlineData("config", "check", "node.conf")]
    [InlineData("config", "show", "node.conf")]
    [InlineData("node", "--config", "node.conf")]
    public async Task AnyCommand_AkkaContradictsTheNode_Exits2WithPlace(params string[] commandLine)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "node.conf"), "akka.remote.dot-netty.tcp.port = 9000\n");

        CliResult result = await RunAsync(commandLine);

        result.Code.ShouldBe(2);
        result.Error.ShouldStartWith("node.conf:1:34: akka.remote.dot-netty.tcp.port = 9000 contradicts");
        result.Error.TrimEnd('\n').ShouldNotContain('\n');
    }

    [Fact]
    public async Task Submit_MistakeInFile_Exits2AndSendsNothing()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "task.conf"),
            "task {\n  name = digits\n  command = [\"true\"]\n  slots = many\n}\n"
        );

        CliResult result = await RunAsync("submit", "task.conf", "--node", _server.Address.ToString());

        result.Code.ShouldBe(2);
        result.Error.ShouldStartWith("task.conf:4:");
    }

    [Fact]
    public async Task Submit_MistakeInFlag_NamesTheFlag()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "task.conf"), "task { name = digits, command = [\"true\"] }\n");

        CliResult result = await RunAsync("submit", "task.conf", "--set", "slots=many", "--node", _server.Address.ToString());

        result.Code.ShouldBe(2);
        result.Error.ShouldStartWith("flag --set:");
    }

    private async Task<CliResult> RunAsync(params string[] args)
    {
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "actortrainer.dll"), .. args])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("ACTORTRAINER_NODE");
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CliResult(process.ExitCode, await output, await error);
    }
}
