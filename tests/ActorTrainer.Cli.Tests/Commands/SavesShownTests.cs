using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>What <c>tasks show</c> says of when a task saves.</summary>
public sealed class SavesShownTests : IAsyncLifetime
{
    private static readonly CheckpointSpec Adaptive = new()
    {
        Strategy = CheckpointStrategy.Adaptive,
        MaxOverhead = 0.025,
        Interval = TimeSpan.FromMinutes(5),
    };

    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(_node);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task TasksShow_AdaptiveTrainer_SaysWithinWhatItSavesAndHowOftenItDoes()
    {
        string shown = await ShowAsync(
            new TaskSpec
            {
                Name = "digits-a",
                Trainer = new TrainerSpec("T", null, null),
                Checkpoint = Adaptive,
            }
        );
        shown.ShouldContain("Saves as often as costs at most 2.5 % of the time, at least every 5m where that allows it; keeps");
        shown.ShouldContain("Pace every 58s, where saves and work done again take the least time together: a save costs 20ms");
    }

    [Fact]
    public async Task TasksShow_AdaptiveCommand_SaysThatItSavesByItself()
    {
        string shown = await ShowAsync(
            new TaskSpec
            {
                Name = "digits-a",
                Command = ["true"],
                Checkpoint = Adaptive,
            }
        );
        shown.ShouldContain("Saves by itself, when its files are complete; keeps");
        shown.ShouldNotContain("Pace ");
    }

    private async Task<string> ShowAsync(TaskSpec spec)
    {
        _node.Events[SampleCluster.Digits] = [new EventRow(SampleCluster.Digits, 1, 1, SampleCluster.Now, new TaskSubmitted(spec))];
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync("tasks", "show", "digits-a");
        result.Error.ShouldBe("");
        return string.Join(' ', result.Out.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
