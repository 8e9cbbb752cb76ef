using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Tests.Commands;

public sealed class SubmitCommandTests : IAsyncLifetime
{
    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node);
        _node.OnSubmit = _ => new CommandAccepted(SampleCluster.Digits, Existed: true);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(TaskStatus.Running, " and is running")]
    [InlineData(
        TaskStatus.Completed,
        " and has completed (1s ago); nothing is started. To run it once more, submit it under another name (--name)"
    )]
    [InlineData(TaskStatus.Cancelled, " and was cancelled (1s ago); nothing is started. To run it, submit it under another name (--name)")]
    [InlineData(
        TaskStatus.Failed,
        " and has failed (1s ago: exit code 7); nothing is started. 'actortrainer tasks resume digits-a' lets it go on from its last "
            + "checkpoint; to begin anew, submit it under another name (--name)"
    )]
    [InlineData(
        TaskStatus.Held,
        " and is held (1s ago: exit code 7); nothing is started. 'actortrainer tasks resume digits-a' lets it go on"
    )]
    [InlineData(TaskStatus.Paused, " and is paused (1s ago); nothing is started. 'actortrainer tasks resume digits-a' lets it go on")]
    public async Task Submit_TaskIsThereAlready_SaysWhatHasBecomeOfItAndWhatToDo(TaskStatus status, string rest)
    {
        _node.Change("digits-a", summary => summary with { Status = status, Detail = "exit code 7" });

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("submit", "task.conf", "--name", "digits-a");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Error.ShouldBe(
            $"actortrainer: task digits-a is there already: same task as of 4m ago, with this specification (id digits-a-k3f9){rest}\n"
        );
    }

    [Fact]
    public async Task Submit_TaskIsThereAlreadyAndCannotBeLookedAt_SaysThatItIsThere()
    {
        _node.OnSubmit = _ => new CommandAccepted(Core.Identity.TaskId.Parse("gone-x1"), Existed: true);

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("submit", "task.conf", "--name", "gone");

        result.Code.ShouldBe(ExitCodes.Ok);
        result.Error.ShouldBe("actortrainer: task gone is there already with this specification (id gone-x1)\n");
    }
}
