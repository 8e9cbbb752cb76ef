using System.Net;
using System.Net.Sockets;
using ActorTrainer.Cluster;
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
            $"seed {seed.Address} belongs to the cluster 'other', this node to 'actortrainer'; "
                + "set actortrainer.cluster.name = other here, or other seed-nodes."
        );
    }

    [Theory]
    [InlineData(null, "wants a token, and this node has none")]
    [InlineData("a-token-of-another-cluster", "the token is not the one of this cluster")]
    public async Task Run_SeedDoesNotTakeTheToken_SaysSo(string? token, string what)
    {
        await using ApiServer guarded = await ApiServer.StartAsync(new FakeNode(), new ApiOptions { Token = "a-token-of-their-own" });
        NodeModel model = Model(guarded.Address) with { Security = new SecurityModel { Token = token } };

        WrongSeedException refused = await Should.ThrowAsync<WrongSeedException>(() => CheckAsync(model));

        refused.Message.ShouldContain($"seed {guarded.Address}");
        refused.Message.ShouldContain(what);
    }

    [Fact]
    public async Task Run_SeedsThatDoNotSay_HaveNoObjection()
    {
        await using ApiServer right = await ApiServer.StartAsync(new FakeNode());
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        using TcpListener gone = new(IPAddress.Loopback, 0);
        gone.Start();
        NodeAddress nobody = AddressOf(gone);
        gone.Stop();

        (await CheckAsync(Model(right.Address, AddressOf(silent), nobody))).ShouldBeEmpty();
    }

    [Fact]
    public async Task CompareJournals_SeedHasAnother_SaysWhichAndWhatToDo()
    {
        await using ApiServer same = await ApiServer.StartAsync(new FakeNode { Journal = new JournalIdentity("mine", "a file") });
        await using ApiServer other = await ApiServer.StartAsync(new FakeNode { Journal = new JournalIdentity("other", "a file") });
        IReadOnlyList<SeedJournal> one = await CheckAsync(Model(same.Address));
        IReadOnlyList<SeedJournal> both = await CheckAsync(Model(same.Address, other.Address));

        SeedCheck.CompareJournals(one, "mine", "/data/journal.db");
        WrongSeedException refused = Should.Throw<WrongSeedException>(() => SeedCheck.CompareJournals(both, "mine", "/data/journal.db"));

        refused.Message.ShouldContain($"seed {other.Address} has another journal than this node, whose journal is /data/journal.db");
        refused.Message.ShouldContain("PostgreSQL");
    }

    [Fact]
    public async Task Run_SeedWithTheToken_IsUnderstood()
    {
        await using ApiServer guarded = await ApiServer.StartAsync(
            new FakeNode { ClusterName = "other" },
            new ApiOptions { Token = "the-same-token" }
        );
        NodeModel model = Model(guarded.Address) with { Security = new SecurityModel { Token = "the-same-token" } };

        await Should.ThrowAsync<WrongSeedException>(() => CheckAsync(model));
    }

    [Fact]
    public async Task Run_ItselfAmongTheSeeds_IsNotAsked()
    {
        await using ApiServer self = await ApiServer.StartAsync(new FakeNode { ClusterName = "other" });

        await CheckAsync(Model(self.Address) with { Address = self.Address });
    }

    private static Task<IReadOnlyList<SeedJournal>> CheckAsync(NodeModel model) =>
        SeedCheck.RunAsync(model, TimeProvider.System, CancellationToken.None);

    private static NodeModel Model(params NodeAddress[] seeds) => new() { Address = Self, SeedNodes = seeds };

    private static NodeAddress AddressOf(TcpListener listener) => NodeAddress.Parse(listener.LocalEndpoint.ToString()!);
}
