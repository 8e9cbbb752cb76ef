using System.Text.Json.Nodes;
using ActorTrainer.Core.Membership;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class ClusterEndpointsTests : IAsyncLifetime
{
    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(_node);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Cluster_NodeWithAnotherLife_IsListedOnce()
    {
        ClusterMember former = new(2, SampleCluster.A, "alpha", [], 2, MemberStatus.Down, false, 4000, "0.1.0");
        _node.View = _node.View with { Members = [former, .. _node.View.Members] };
        using HttpClient http = new();

        string cluster = await http.GetStringAsync($"http://{_server.Address}/v1/cluster", TestContext.Current.CancellationToken);

        JsonArray members = JsonNode.Parse(cluster)!["members"]!.AsArray();
        members.Select(member => member!["incarnation"]!.GetValue<long>()).ShouldBe([4, 5, 6]);
    }
}
