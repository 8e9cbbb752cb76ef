using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Tests.Commands;

[Trait("Lane", "Slow")]
public sealed class RunCommandTests : IAsyncLifetime
{
    private static readonly TaskId Id = TaskId.Parse("job-x1x1");

    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-run").FullName;
    private readonly FakeNode _node = SampleCluster.Create();
    private TaskSpec? _submitted;
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node);
        string output = Path.Combine(_folder, "output");
        _node.OnSubmit = spec =>
        {
            _submitted = spec;
            File.WriteAllText(output, "hello from the task\n");
            _node.AddOutput(new OutputFile(1, 1, output));
            _node.Put(
                new TaskListing(
                    new TaskSummary(
                        Id,
                        spec.Name,
                        "",
                        3,
                        null,
                        0,
                        TaskStatus.Running,
                        0,
                        1,
                        "",
                        TaskProgress.None,
                        SampleCluster.A,
                        1,
                        0,
                        null,
                        0,
                        false,
                        null
                    ),
                    SampleCluster.Now,
                    SampleCluster.Now
                )
            );
            return new CommandAccepted(Id);
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(TaskStatus.Completed, 0, 0, "task job completed")]
    [InlineData(TaskStatus.Failed, 7, 7, "task job failed: exit code 7")]
    [InlineData(TaskStatus.Cancelled, null, 1, "task job was cancelled")]
    [InlineData(TaskStatus.Held, null, 1, "task job is held: exit code 7; let it go on with 'actortrainer tasks resume job'")]
    public async Task Run_TaskEnds_PrintsItsOutputAndExitsWithItsCode(TaskStatus status, int? taskCode, int code, string ending)
    {
        CliRun run = new() { Node = _server.Address };
        Task<CliResult> running = run.RunAsync(
            "run",
            "--name",
            "job",
            "--env",
            "SEED=7",
            "--priority",
            "4",
            "--",
            "python3",
            "train.py",
            "--node",
            "x"
        );

        await run.Error.WaitForAsync("task job runs on 127.0.0.1:7401");
        _node.Change("job", summary => summary with { Status = status, ExitCode = taskCode, Detail = "exit code 7" });
        CliResult result = await running;

        result.Code.ShouldBe(code);
        result.Out.ShouldBe("hello from the task\n");
        result.Error.ShouldContain("actortrainer: task job submitted (id job-x1x1)\n");
        result.Error.ShouldEndWith($"actortrainer: {ending}\n");
        _submitted!.Command.ShouldBe(["python3", "train.py", "--node", "x"]);
        _submitted.Environment["SEED"].ShouldBe("7");
        _submitted.Priority.ShouldBe(4);
        _submitted.WorkingDirectory.ShouldBe("/home/ada");
    }

    [Fact]
    public async Task Run_TaskIsWarned_SaysItOnce()
    {
        const string Warning = "no checkpoint: the script wrote no file";
        CliRun run = new() { Node = _server.Address };
        Task<CliResult> running = run.RunAsync("run", "--name", "job", "--", "train");

        await run.Error.WaitForAsync("task job runs on");
        _node.Change("job", summary => summary with { Warning = Warning });
        await run.Error.WaitForAsync($"actortrainer: task job: {Warning}\n");
        _node.Change("job", summary => summary with { Status = TaskStatus.Completed, ExitCode = 0 });
        CliResult result = await running;

        result.Error.Split(Warning).Length.ShouldBe(2, result.Error);
        (await new CliRun { Node = _server.Address }.RunAsync("tasks", "show", "job")).Out.ShouldContain(Warning);
    }

    [Fact]
    public async Task Run_Interrupted_Exits130AndSaysThatTheTaskGoesOn()
    {
        using CancellationTokenSource pressed = new();
        CliRun run = new() { Node = _server.Address, Interrupt = pressed.Token };
        Task<CliResult> running = run.RunAsync("run", "--name", "job", "--", "sleep", "1000");

        await run.Error.WaitForAsync("task job runs on");
        await pressed.CancelAsync();
        CliResult result = await running;

        result.Code.ShouldBe(ExitCodes.Interrupted);
        result.Error.ShouldEndWith(
            "actortrainer: task job goes on; follow it with 'actortrainer tasks logs -f job', end it with 'actortrainer tasks cancel job'\n"
        );
        _node.Asked.ShouldBe(["submit job"]);
    }

    [Fact]
    public async Task Run_NodeIsLostAndAnotherAnswers_GoesOn()
    {
        FakeNode other = SampleCluster.Create();
        await using ApiServer second = await ApiServer.StartAsync(other);
        CliRun run = new();
        Task<CliResult> running = run.RunAsync(
            "run",
            "--name",
            "job",
            "--node",
            _server.Address.ToString(),
            "--node",
            second.Address.ToString(),
            "--",
            "true"
        );
        await run.Error.WaitForAsync("task job runs on 127.0.0.1:7401");
        await run.Output.WaitForAsync("hello from the task");

        string output = Path.Combine(_folder, "output-2");
        await File.WriteAllTextAsync(output, "and from its second run\n");
        other.AddOutput(new OutputFile(2, 2, output));
        other.Put(
            new TaskListing(
                new TaskSummary(
                    Id,
                    "job",
                    "",
                    3,
                    null,
                    0,
                    TaskStatus.Running,
                    0,
                    1,
                    "",
                    TaskProgress.None,
                    SampleCluster.B,
                    2,
                    0,
                    null,
                    0,
                    false,
                    null
                ),
                SampleCluster.Now,
                SampleCluster.Now
            )
        );
        await _server.DisposeAsync();
        await run.Error.WaitForAsync("task job runs on 127.0.0.1:7402, run 2");
        other.Change("job", summary => summary with { Status = TaskStatus.Completed, ExitCode = 0 });
        CliResult result = await running;

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Out.ShouldBe("hello from the task\nand from its second run\n");
    }

    [Fact]
    public async Task Run_ClusterIsNotReadyYet_TriesAgain()
    {
        Func<TaskSpec, CommandReply> accept = _node.OnSubmit;
        int asked = 0;
        _node.OnSubmit = spec => ++asked < 3 ? new CommandUnavailable("shard 3 has no owner yet") : accept(spec);
        CliRun run = new() { Node = _server.Address };
        Task<CliResult> running = run.RunAsync("run", "--name", "job", "--", "true");

        await run.Error.WaitForAsync("task job runs on");
        _node.Change("job", summary => summary with { Status = TaskStatus.Completed });
        CliResult result = await running;

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Error.ShouldStartWith("actortrainer: shard 3 has no owner yet; tries again\nactortrainer: task job submitted");
        asked.ShouldBe(3);
    }
}
