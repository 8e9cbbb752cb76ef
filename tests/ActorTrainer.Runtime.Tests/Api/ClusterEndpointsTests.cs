using System.Net;
using System.Text.Json.Nodes;
using ActorTrainer.Core.Membership;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class ClusterEndpointsTests : ApiTests
{
    [Fact]
    public async Task Cluster_NodeWithAnotherLife_IsListedOnce()
    {
        ClusterMember former = new(2, SampleCluster.A, "alpha", [], 2, MemberStatus.Down, false, 4000, "0.1.0");
        Node.View = Node.View with { Members = [former, .. Node.View.Members] };

        JsonArray members = (await GetAsync("/v1/cluster"))["members"]!.AsArray();

        members.Select(member => member!["incarnation"]!.GetValue<long>()).ShouldBe([4, 5, 6]);
    }

    [Fact]
    public async Task Cluster_ThreeMembers_ShowsGossipAndJournal()
    {
        JsonNode cluster = await GetAsync("/v1/cluster");

        cluster["self"]!.GetValue<long>().ShouldBe(4);
        cluster["unassignedShards"]!.GetValue<int>().ShouldBe(1);
        JsonNode alpha = cluster["members"]![0]!;
        alpha["leaseHolder"]!.GetValue<bool>().ShouldBeTrue();
        alpha["self"]!.GetValue<bool>().ShouldBeTrue();
        alpha["usedSlots"]!.GetValue<int>().ShouldBe(1);
        alpha["tasks"]!.GetValue<int>().ShouldBe(3);
        alpha["shards"]!.GetValue<int>().ShouldBe(7);
        cluster["members"]![1]!["cordoned"]!.GetValue<bool>().ShouldBeTrue();
        cluster["members"]![2]!["state"]!.GetValue<string>().ShouldBe("down");
        cluster["members"]![2]!["reachable"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Theory]
    [InlineData("drain")]
    [InlineData("cordon")]
    [InlineData("uncordon")]
    public async Task NodeCommand_ByName_ReachesTheNode(string command)
    {
        (await PostAsync($"/v1/cluster/{command}", """{"node":"beta"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);

        Node.Asked.ShouldBe([$"{command} 127.0.0.1:7402"]);
    }

    [Fact]
    public async Task NodeCommand_OfANodeThatKnowsNoMembersYet_IsUnavailableSoThatAnotherNodeIsAsked()
    {
        Node.View = Node.View with { Members = [] };

        (await PostAsync("/v1/cluster/drain", """{"node":"beta"}""")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        Node.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Shards_Summary_CountsEachOwnersShards()
    {
        JsonNode shards = await GetAsync("/v1/shards");

        shards["numberOfShards"]!.GetValue<int>().ShouldBe(16);
        shards["owners"]!.AsArray().Select(owner => owner!["shards"]!.GetValue<int>()).ShouldBe([1, 7, 7, 1]);
    }

    [Fact]
    public async Task Shards_OfTask_NamesOwnerAndTasks()
    {
        JsonNode shard = await GetAsync("/v1/shards?task=digits-b");

        shard["shard"]!.GetValue<int>().ShouldBe(7);
        shard["address"]!.GetValue<string>().ShouldBe("127.0.0.1:7401");
        shard["tasks"]![0]!["name"]!.GetValue<string>().ShouldBe("digits-b");
    }

    [Fact]
    public async Task Shards_NoSuchNumber_Is404() =>
        await ShouldBeProblemAsync(
            await Http.GetAsync("/v1/shards?shard=99"),
            HttpStatusCode.NotFound,
            "there is no shard 99",
            "use 0 to 15"
        );
}
