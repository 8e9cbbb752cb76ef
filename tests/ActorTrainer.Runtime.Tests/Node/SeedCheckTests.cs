using System.Net;
using System.Net.Sockets;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Node;

public sealed class SeedCheckTests
{
    private static readonly NodeAddress Self = new("127.0.0.1", 1);

    [Fact]
    public async Task Run_SeedOfAnotherCluster_SaysWhichAndWhatToDo()
    {
        await using ApiServer seed = await ApiServer.StartAsync(new FakeNode { ClusterName = "other" });

        WrongSeedException refused = await Should.ThrowAsync<WrongSeedException>(() => CheckAsync(Model(seed.Address)));

        refused.Message.ShouldBe(
            $"seed {seed.Address} belongs to the cluster 'other', this node to 'actortrainer'; " +
            "set actortrainer.cluster.name = other here, or other seed-nodes.");
    }

    [Fact]
    public async Task Run_SeedsThatDoNotSay_HaveNoObjection()
    {
        FakeNode other = new() { ClusterName = "other" };
        await using ApiServer guarded = await ApiServer.StartAsync(other, new ApiOptions { Token = "a-token-of-their-own" });
        await using ApiServer right = await ApiServer.StartAsync(new FakeNode());
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        using TcpListener gone = new(IPAddress.Loopback, 0);
        gone.Start();
        NodeAddress nobody = AddressOf(gone);
        gone.Stop();

        await CheckAsync(Model(guarded.Address, right.Address, AddressOf(silent), nobody));
    }

    [Fact]
    public async Task Run_SeedWithTheToken_IsUnderstood()
    {
        await using ApiServer guarded = await ApiServer.StartAsync(new FakeNode { ClusterName = "other" }, new ApiOptions { Token = "the-same-token" });
        NodeModel model = Model(guarded.Address) with { Security = new SecurityModel { Token = "the-same-token" } };

        await Should.ThrowAsync<WrongSeedException>(() => CheckAsync(model));
    }

    [Fact]
    public async Task Run_ItselfAmongTheSeeds_IsNotAsked()
    {
        await using ApiServer self = await ApiServer.StartAsync(new FakeNode { ClusterName = "other" });

        await CheckAsync(Model(self.Address) with { Address = self.Address });
    }

    private static Task CheckAsync(NodeModel model) => SeedCheck.RunAsync(model, TimeProvider.System, CancellationToken.None);

    private static NodeModel Model(params NodeAddress[] seeds) => new() { Address = Self, SeedNodes = seeds };

    private static NodeAddress AddressOf(TcpListener listener) => NodeAddress.Parse(listener.LocalEndpoint.ToString()!);
}
