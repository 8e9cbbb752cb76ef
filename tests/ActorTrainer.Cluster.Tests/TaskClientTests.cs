using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Cluster.Tests;

/// <summary>A client whose node has not begun a life yet, or is between two.</summary>
public sealed class TaskClientTests
{
    private static readonly TaskId Known = TaskId.Parse("one-a1b2c");
    private static readonly NodeAddress Node = new("127.0.0.1", 7400);

    private readonly TaskClient _client = new(
        new NodeModel { ClusterName = "c" },
        TimeProvider.System,
        (spec, _) => Task.FromResult(spec.Slots == 0 ? "no slots" : null),
        new MemoryStore()
    );

    [Fact]
    public async Task Commands_BeforeTheFirstLife_AreUnavailable()
    {
        CommandReply[] replies =
        [
            await _client.SubmitAsync(new TaskSpec { Name = "one" }),
            await _client.AskAsync(Known, new PauseTask()),
            await _client.AskAsync(Known, new MigrateTask(null)),
            await _client.CordonAsync(Node, cordoned: true),
            await _client.DrainAsync(Node),
        ];

        replies.ShouldAllBe(reply => reply == new CommandUnavailable("this node has just been started and is not in the cluster yet"));
    }

    [Fact]
    public async Task Queries_BetweenTwoLives_AreUnavailable()
    {
        _client.Detach();

        Func<Task>[] queries =
        [
            () => _client.ListTasksAsync(new TaskFilter()),
            () => _client.ReadEventsAsync(Known, 0, 10),
            () => _client.ListCheckpointsAsync(null),
        ];

        foreach (Func<Task> query in queries)
        {
            (await Should.ThrowAsync<JournalUnavailableException>(query)).Message.ShouldBe(
                "this node was taken out of the cluster and is on its way back into it"
            );
        }
    }

    [Fact]
    public async Task Submit_OfATaskWithAMistake_IsRefusedWhateverTheNodeDoes() =>
        (await _client.SubmitAsync(new TaskSpec { Name = "one", Slots = 0 })).ShouldBe(new CommandRefused("no slots"));
}
