using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class JoinTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Node_OfAnotherCluster_IsRefusedWithTheReason()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        using TemporaryFolder folder = new();

        CommandResult node = await JoinAsync(cluster, folder, "--set", "actortrainer.cluster.name=other");

        node.ExitCode.ShouldBe(2, node.Output + node.Error);
        node.Error.ShouldContain("other");
        node.Error.ShouldContain("actortrainer");
        await ShouldBeAloneAsync(cluster);
    }

    [Fact]
    public async Task NodeOrUser_WithAWrongTokenOrNone_IsRefusedWithTheReason()
    {
        using TemporaryFolder folder = new();
        await File.WriteAllTextAsync(folder["token"], "open-sesame-and-then-some\n");
        await File.WriteAllTextAsync(folder["wrong"], "open-barley-and-then-some\n");
        await using LocalCluster cluster = new(nodes: 1, slots: 1, $"actortrainer.security.token-file={folder["token"]}");
        cluster.Nodes[0].Start();
        using ActorTrainerClient client = new(
            new ActorTrainerClientOptions { Nodes = [cluster.Nodes[0].Address], Token = "open-sesame-and-then-some" }
        );
        await cluster.WaitAsync(
            "the node is up",
            async () => (await client.GetClusterAsync()).Members.Any(m => m.State == MemberState.Up),
            Limit
        );

        CommandResult wrong = await JoinAsync(cluster, folder, "--token-file", "wrong");
        CommandResult none = await JoinAsync(cluster, folder);
        CommandResult user = await cluster.RunAsync("tasks", "ls");
        CommandResult right = await cluster.RunAsync("tasks", "ls", "--token-file", folder["token"]);

        wrong.ExitCode.ShouldBe(2, wrong.Error);
        wrong.Error.ShouldContain("the token is not the one of this cluster");
        none.ExitCode.ShouldBe(2, none.Error);
        none.Error.ShouldContain("wants a token");
        user.ExitCode.ShouldBe(2);
        user.Error.ShouldContain("token");
        right.ExitCode.ShouldBe(0, right.Error);
        (await client.GetClusterAsync()).Members.Count(m => m.State == MemberState.Up).ShouldBe(1);
    }

    [Fact]
    public async Task Node_WithAnotherJournalThanItsSeed_IsRefusedAndTheSeedGoesOn()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        using TemporaryFolder folder = new();

        CommandResult node = await JoinAsync(cluster, folder);

        node.ExitCode.ShouldBe(2, node.Output + node.Error);
        node.Error.ShouldContain($"seed {cluster.Nodes[0].Address} has another journal than this node");
        await ShouldBeAloneAsync(cluster);
    }

    [Fact]
    public async Task Node_ItsSeedIsDown_BeginsWithoutItAndTheSeedJoins()
    {
        await using LocalCluster cluster = new(nodes: 2);
        cluster.Nodes[1].Start();
        using ActorTrainerClient second = LocalCluster.ClientOf(cluster.Nodes[1].Address);
        await cluster.WaitAsync("it is up", async () => (await second.GetClusterAsync()).Members is [{ State: MemberState.Up }], Limit);

        cluster.Nodes[0].Start();

        await cluster.WaitForNodesAsync();
        (await second.GetClusterAsync()).Members.Count(m => m.State == MemberState.Up).ShouldBe(2);
    }

    [Fact]
    public async Task Node_OnTheAddressOfAnother_ExitsWithTwoAndTheOtherGoesOn()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("first", new() { Steps = 300 }));
        await task.WaitForStartAsync(after: 0);
        using TemporaryFolder folder = new();

        // Once with its own journal, once in the same folder, as a user does who forgets that the node runs already.
        CommandResult elsewhere = await CommandResult.RunAsync(
            LocalCluster.Executable,
            ["node", "--address", cluster.Nodes[0].Address.ToString()],
            folder.Root,
            new Dictionary<string, string>()
        );
        CommandResult here = await cluster.RunAsync("node", "--address", cluster.Nodes[0].Address.ToString());

        foreach (CommandResult refused in (CommandResult[])[elsewhere, here])
        {
            refused.ExitCode.ShouldBe(2, refused.Error);
            refused.Error.ShouldContain("in use");
        }

        await task.WaitForEndAsync(Core.Tasks.TaskStatus.Completed);
        task.Starts.Count.ShouldBe(1, task.ToString());
    }

    private static Task<CommandResult> JoinAsync(LocalCluster cluster, TemporaryFolder folder, params string[] options) =>
        CommandResult.RunAsync(
            LocalCluster.Executable,
            ["node", "--address", LocalCluster.FreeAddress().ToString(), "--seed", cluster.Nodes[0].Address.ToString(), .. options],
            folder.Root,
            new Dictionary<string, string>()
        );

    private static async Task ShouldBeAloneAsync(LocalCluster cluster)
    {
        ClusterStatus status = await cluster.Client.GetClusterAsync();
        status.Members.Count.ShouldBe(1);
    }
}
