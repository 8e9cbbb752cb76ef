using ActorTrainer.EndToEnd.Tests.Support;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>
/// The network between the nodes is cut, and healed after one side has gone on alone; the journal's file is within reach of all the while.
/// Every node has a task.
/// </summary>
[Trait("Lane", "Slow")]
[Trait("Requires", "namespaces")]
public sealed class NetworkCutTests(ITestOutputHelper output)
{
    [Fact]
    public async Task OneOfThree_Cut_PairGoesOnAndItJoinsAgain()
    {
        await using NodeNetwork network = await NodeNetwork.CreateAsync(3);
        await using LocalCluster cluster = new(network);
        using CutCluster cut = await CutCluster.StartAsync(cluster, output.WriteLine);
        LocalNode single = cut.NodeOf(cut.Tasks[0]);
        long before = await cut.DecisionsAsync();

        await network.CutAsync(single.Number);
        await cut.WaitUntilAloneAsync([.. cluster.Nodes.Except([single])]);

        (await cut.DecisionsAsync()).ShouldBe(before, "a clear majority needs no decision of the journal");
        await cut.WaitForTakenTasksAsync();
        await network.HealAsync(single.Number);
        await cut.ShouldBeOneClusterAndHaveLostNothingAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Halves_Cut_OneOfThemGoesOnAndTheOtherJoinsAgain(int half)
    {
        await using NodeNetwork network = await NodeNetwork.CreateAsync(2 * half);
        await using LocalCluster cluster = new(network);
        using CutCluster cut = await CutCluster.StartAsync(cluster, output.WriteLine);
        int[] apart = [.. cluster.Nodes.Take(half).Select(node => node.Number)];
        long before = await cut.DecisionsAsync();

        await network.CutAsync(apart);
        await cut.WaitUntilAloneAsync([.. cluster.Nodes.Take(half)], [.. cluster.Nodes.Skip(half)]);

        (await cut.DecisionsAsync()).ShouldBe(before + 1, "one of the two compare-and-sets is taken");
        await cut.WaitForTakenTasksAsync();
        await network.HealAsync(apart);
        await cut.ShouldBeOneClusterAndHaveLostNothingAsync();
    }
}
