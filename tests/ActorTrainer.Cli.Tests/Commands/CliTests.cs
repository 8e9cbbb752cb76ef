using System.Text.Json;
using ActorTrainer.Cli.Commands;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Tests.Commands;

public sealed class CliTests : IAsyncLifetime
{
    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(_node);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task AnyCommand_NoNodeAnswers_Exits3WithWhatToDo()
    {
        CliResult result = await new CliRun().RunAsync("tasks", "ls", "--node", "127.0.0.1:1");

        result.Code.ShouldBe(ExitCodes.NoNode);
        result.Error.ShouldBe("actortrainer: no node answers at 127.0.0.1:1; start one with 'actortrainer node' or give --node\n");
        result.Out.ShouldBe("");
    }

    [Fact]
    public async Task AnyCommand_NodeInEnvironment_IsAsked()
    {
        CliResult result = await new CliRun().With("ACTORTRAINER_NODE", $"127.0.0.1:1, {_server.Address}").RunAsync("shards", "ls");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Out.ShouldContain("16 shards in all");
    }

    [Theory]
    [InlineData(
        "actortrainer: --node: 'nonsense' is not an address; use host:port, for example 127.0.0.1:7400\n",
        "tasks",
        "ls",
        "--node",
        "nonsense"
    )]
    [InlineData("actortrainer tasks: Required command was not provided.\nSee 'actortrainer tasks --help'.\n", "tasks")]
    [InlineData(
        "actortrainer tasks show: Required argument 'TASK' missing for command: 'show'.\nSee 'actortrainer tasks show --help'.\n",
        "tasks",
        "show"
    )]
    [InlineData("actortrainer: --env: SEED is not set here; set it, or write --env SEED=VALUE\n", "run", "--env", "SEED", "--", "true")]
    [InlineData("actortrainer: --slots: at least 1\n", "run", "--slots", "0", "--", "true")]
    [InlineData("actortrainer: name a shard or give --task TASK\n", "shards", "show")]
    public async Task AnyCommand_WrongUsage_Exits2WithOneMessage(string message, params string[] args)
    {
        CliResult result = await new CliRun().RunAsync(args);

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldBe(message);
        result.Out.ShouldBe("");
    }

    [Fact]
    public async Task AnyCommand_UnreadableTokenFile_Exits2()
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "ls", "--token-file", "/nowhere/token");

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldStartWith("actortrainer: the token file /nowhere/token cannot be read: ");
    }

    [Fact]
    public async Task AnyCommand_TokenIsWanted_Exits2AndSaysHowToGiveIt()
    {
        await using ApiServer guarded = await ApiServer.StartAsync(_node, new ApiOptions { Token = "secret" });

        CliResult result = await new CliRun { Node = guarded.Address }.RunAsync("tasks", "ls");

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldBe("actortrainer: this node wants a token; give the cluster's token with --token-file FILE\n");
    }

    [Fact]
    public async Task TasksShow_UnknownTask_Exits1WithNearestNames()
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "show", "digitsa");

        result.Code.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldBe("actortrainer: there is no task 'digitsa'; did you mean digits-a or digits-b?\n");
    }

    [Fact]
    public async Task TasksShow_CompletedTask_ShowsItsResults()
    {
        Dictionary<string, string> results = new() { ["weights"] = "9f86", ["accuracy"] = "0.97" };
        TaskSummary done = _node.View.Tasks[0] with
        {
            Task = TaskId.Parse("done-1"),
            Name = "done",
            Status = TaskStatus.Completed,
            Results = results,
        };
        _node.Put(new(done, SampleCluster.Now, SampleCluster.Now));

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "show", "done");

        result.Out.ShouldContain("accuracy=0.97 weights=9f86\n");
    }

    [Fact]
    public async Task TasksPause_OneOfTwoIsRefused_AsksBothAndExits1()
    {
        _node.OnCommand = (task, _) =>
            task == SampleCluster.Digits ? new CommandRefused("the task is finished") : new CommandAccepted(task);

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "pause", "digits-a", "shakespeare");

        result.Code.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldBe("actortrainer: digits-a: the task is finished\nactortrainer: shakespeare: paused\n");
        _node.Asked.ShouldBe(["PauseTask digits-a-k3f9", "PauseTask shakespeare-7tqa"]);
    }

    [Theory]
    [InlineData("MigrateTask digits-a-k3f9 127.0.0.1:7402", "tasks", "migrate", "digits-a", "--to", "beta")]
    [InlineData("MigrateTask digits-a-k3f9", "tasks", "migrate", "digits-a")]
    [InlineData("CancelTask digits-a-k3f9", "tasks", "cancel", "digits-a")]
    [InlineData("ResumeTask digits-a-k3f9", "tasks", "resume", "digits-a-k3f9")]
    [InlineData("SaveTask digits-a-k3f9", "tasks", "save", "digits-a")]
    [InlineData("drain 127.0.0.1:7402", "cluster", "drain", "beta")]
    [InlineData("cordon 127.0.0.1:7402", "cluster", "cordon", "127.0.0.1:7402")]
    [InlineData("uncordon 127.0.0.1:7402", "cluster", "uncordon", "beta")]
    public async Task Command_Accepted_Exits0(string asked, params string[] args)
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync(args);

        result.Code.ShouldBe(ExitCodes.Ok);
        _node.Asked.ShouldBe([asked]);
    }

    [Fact]
    public async Task TasksLs_Terminal_IsColoured()
    {
        CliResult result = await new CliRun
        {
            Node = _server.Address,
            Terminal = true,
            Width = 100,
        }.RunAsync("tasks", "ls");

        result.Out.ShouldContain("\e[");
        result.Out.ShouldContain("running");
    }

    [Fact]
    public async Task TasksLs_TerminalWithNoColour_IsNot()
    {
        CliResult result = await new CliRun { Node = _server.Address, Terminal = true }
            .With("NO_COLOR", "1")
            .RunAsync("tasks", "ls");

        // Bold headers are no colour; the statuses must not be coloured.
        result.Out.ShouldNotContain("\e[3");
        result.Out.ShouldContain("running");
    }

    [Fact]
    public async Task TasksLs_NoTasks_SaysSoBesideTheOutput()
    {
        await using ApiServer empty = await ApiServer.StartAsync(new FakeNode());

        CliResult result = await new CliRun { Node = empty.Address }.RunAsync("tasks", "ls");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Out.ShouldBe("");
        result.Error.ShouldBe("actortrainer: there are no unfinished tasks; --all lists finished ones too\n");
    }

    [Theory]
    [InlineData("warmup", 0, "actortrainer: task warmup completed\n")]
    [InlineData("broken", 7, "actortrainer: task broken failed: exit code 7\n")]
    [InlineData(
        "digits-b",
        1,
        "actortrainer: task digits-b is held: three nodes were lost within 60s of its start; "
            + "let it go on with 'actortrainer tasks resume digits-b'\n"
    )]
    public async Task TasksWait_Ended_ExitsWithTheTasksCode(string task, int code, string message)
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "wait", task);

        result.Code.ShouldBe(code);
        result.Error.ShouldBe(message);
    }

    [Fact]
    public async Task TasksWait_TimeIsUp_Exits1()
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "wait", "digits-a", "--timeout", "1");

        result.Code.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldBe("actortrainer: not finished after 1s; the tasks go on\n");
    }

    [Fact]
    public async Task TasksWatch_Piped_PrintsALineForEachChange()
    {
        CliRun run = new() { Node = _server.Address };
        _node.Live.Clear();
        _node.Change("digits-a", summary => summary with { Status = TaskStatus.Completed });

        CliResult result = await run.RunAsync("tasks", "watch", "digits-a", "warmup");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Out.ShouldBe(
            "15:09:26Z digits-a completed step 1200/4000 30% on 127.0.0.1:7401\n"
                + "15:09:26Z warmup completed step 100/100 100% on 127.0.0.1:7402\n"
        );
    }

    [Fact]
    public async Task TasksWatch_Terminal_DrawsBars()
    {
        _node.Change("digits-a", summary => summary with { Status = TaskStatus.Completed });

        CliResult result = await new CliRun
        {
            Node = _server.Address,
            Terminal = true,
            Width = 100,
        }.RunAsync("tasks", "watch", "digits-a");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Out.ShouldContain("━━━━━━");
        result.Out.ShouldContain("100%");
    }

    [Fact]
    public async Task CheckpointsVerify_Damaged_Exits1()
    {
        _node.OnVerify = name => new CheckpointVerification(name, true, false, 0, "p-1 is missing");

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("checkpoints", "verify", "digits-a");

        result.Code.ShouldBe(ExitCodes.Failed);
        result.Out.ShouldContain("DAMAGED");
        result.Out.ShouldContain("p-1 is missing");
    }

    [Theory]
    [InlineData("node")]
    [InlineData("submit", "task.conf")]
    [InlineData("config", "check", "node.conf")]
    [InlineData("config", "show", "node.conf")]
    [InlineData("doctor")]
    public async Task AnyCommand_MistakeInConfiguration_Exits2WithThePlaceOnly(params string[] args)
    {
        CliRun run = new() { Node = _server.Address };
        run.Files.Mistake = new ConfigException(new ConfigOrigin("node.conf", 3, 7), "'slotz' is not a key; did you mean slots?");

        CliResult result = await run.RunAsync(args);

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldBe("node.conf:3:7: 'slotz' is not a key; did you mean slots?\n");
        result.Out.ShouldBe("");
        run.Host.Started.ShouldBeNull();
    }

    [Fact]
    public async Task Node_Flags_GoOverTheConfiguration()
    {
        CliRun run = new();

        CliResult result = await run.RunAsync(
            "node",
            "--config",
            "node.conf",
            "--address",
            "127.0.0.1:7401",
            "--seed",
            "127.0.0.1:7400",
            "--seed",
            "127.0.0.1:7402",
            "--slots",
            "3",
            "--set",
            "a.b=c=d"
        );

        result.Code.ShouldBe(ExitCodes.Ok);
        run.Host.Started.ShouldNotBeNull();
        run.Files.Flags.Select(flag => $"{flag.Key}={flag.Value} by {flag.Option}")
            .ShouldBe([
                "actortrainer.node.address=127.0.0.1:7401 by --address",
                "actortrainer.node.slots=3 by --slots",
                "actortrainer.cluster.seed-nodes=127.0.0.1:7400,127.0.0.1:7402 by --seed",
                "a.b=c=d by --set",
            ]);
    }

    [Fact]
    public async Task Submit_File_SendsItUnderTheNameGiven()
    {
        TaskSpec? received = null;
        _node.OnSubmit = spec =>
        {
            received = spec;
            return new CommandAccepted(TaskId.Parse("other-x1"));
        };
        CliRun run = new() { Node = _server.Address };

        CliResult result = await run.RunAsync("submit", "task.conf", "--name", "other", "--set", "priority=5");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Error.ShouldBe("actortrainer: task other submitted (id other-x1)\n");
        received!.Name.ShouldBe("other");
        run.Files.Flags.ShouldHaveSingleItem().Key.ShouldBe("priority");
    }

    [Fact]
    public async Task Submit_Refused_Exits1WithTheReason()
    {
        _node.OnSubmit = _ => new CommandRefused("no such executable: trainx; give its full path");

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("submit", "task.conf");

        result.Code.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldBe("actortrainer: no such executable: trainx; give its full path\n");
    }

    [Fact]
    public async Task Doctor_NodeAnswers_ReportsEachCheck()
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("doctor", "-o", "json");

        using JsonDocument report = JsonDocument.Parse(result.Out);
        Dictionary<string, string> levels = report
            .RootElement.EnumerateArray()
            .ToDictionary(finding => finding.GetProperty("check").GetString()!, finding => finding.GetProperty("level").GetString()!);
        levels.Keys.ShouldBe([
            "system",
            "runtime",
            "sdk",
            "python",
            "clock",
            "data",
            "journal",
            "checkpoints",
            "disk",
            "node",
            "cluster",
            "port",
        ]);
        levels["runtime"].ShouldBe("ok");
        levels["node"].ShouldBe("ok");
        levels["cluster"].ShouldBe("warn");
        result.Code.ShouldBe(levels.ContainsValue("fail") ? ExitCodes.Failed : ExitCodes.Ok);
    }

    [Theory]
    [InlineData("train-py-", "python3", "-u", "./train-PY.py", "--epochs", "3")]
    [InlineData("sleep-", "/bin/sleep", "10")]
    [InlineData("bash-", "bash", "-c", "echo hello there")]
    [InlineData("my-script-", "./My Script!.sh")]
    [InlineData("task-", "???")]
    public void NameOf_Command_IsAValidNameThatTellsWhatItIs(string start, params string[] command)
    {
        string name = RunCommand.NameOf(command);

        name.ShouldStartWith(start);
        name.Length.ShouldBe(start.Length + 4);
        TaskId.IsName(name, 63).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0.25, "250ms")]
    [InlineData(12, "12s")]
    [InlineData(303, "5m 3s")]
    [InlineData(2820, "47m")]
    [InlineData(7800, "2h 10m")]
    [InlineData(262800, "3d 1h")]
    public void Duration_AnyLength_IsShort(double seconds, string text) => Human.Duration(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    [Theory]
    [InlineData(17, "17 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(10 << 20, "10 MiB")]
    [InlineData(3L << 40, "3.0 TiB")]
    public void Bytes_AnySize_AreInBinaryUnits(long bytes, string text) => Human.Bytes(bytes).ShouldBe(text);
}
