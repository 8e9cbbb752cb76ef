using System.Net;
using System.Net.Http.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Runtime.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Runtime.Tests.Transport;

public sealed class NodeHttpServerTests
{
    [Fact]
    public async Task StartAsync_PortInUse_SaysWhichAndWhatToDo()
    {
        await using NodeHttpServer first = NewServer(TransportNode.NewModel());
        await first.StartAsync(default);
        await using NodeHttpServer second = NewServer(TransportNode.NewModel(first.Address.Port));
        NodeAddressException e = await Should.ThrowAsync<NodeAddressException>(() => second.StartAsync(default));
        e.Address.ShouldBe(first.Address);
        e.Message.ShouldContain(first.Address.ToString());
        e.Message.ShouldContain("actortrainer.node.address");
    }

    [Fact]
    public async Task StartAsync_AddressOfAnotherMachine_IsRefused()
    {
        NodeModel model = TransportNode.NewModel() with { Address = new NodeAddress("192.0.2.1", 0), Security = new SecurityModel { Token = "t" } };
        await using NodeHttpServer server = NewServer(model);
        NodeAddressException e = await Should.ThrowAsync<NodeAddressException>(() => server.StartAsync(default));
        e.Message.ShouldContain("192.0.2.1");
    }

    [Fact]
    public async Task StartAsync_NotLoopbackWithoutToken_IsRefused()
    {
        await using NodeHttpServer server = NewServer(TransportNode.NewModel() with { Address = new NodeAddress("0.0.0.0", 0) });
        NodeAddressException e = await Should.ThrowAsync<NodeAddressException>(() => server.StartAsync(default));
        e.Message.ShouldContain("security.token-file");
    }

    [Fact]
    public async Task Identity_Asked_NamesTheLife()
    {
        await using NodeHttpServer server = NewServer(TransportNode.NewModel() with { NodeName = "left" });
        await server.StartAsync(default);
        server.Incarnation = 12;
        using HttpClient http = new();
        PeerIdentity? identity = await http.GetFromJsonAsync<PeerIdentity>($"http://{server.Address}{PeerProtocol.IdentityPath}", default);
        identity.ShouldBe(new PeerIdentity("actortrainer", PeerProtocol.Version, 12, "left"));
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer secreT", HttpStatusCode.Unauthorized)]
    [InlineData("Basic secret", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer secret", HttpStatusCode.OK)]
    public async Task AnyRequest_TokenConfigured_NeedsIt(string? authorization, HttpStatusCode expected)
    {
        await using NodeHttpServer server = NewServer(TransportNode.NewModel() with { Security = new SecurityModel { Token = "secret" } });
        await server.StartAsync(default);
        using HttpClient http = new();
        foreach (string path in new[] { "/hello", PeerProtocol.IdentityPath })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, $"http://{server.Address}{path}");
            if (authorization is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", authorization).ShouldBeTrue();
            }

            using HttpResponseMessage response = await http.SendAsync(request, default(CancellationToken));
            response.StatusCode.ShouldBe(expected);
        }
    }

    [Theory]
    [InlineData("actortrainer", 2, 5, "127.0.0.1:1", "protocol version 2 is not 1")]
    [InlineData("other", 1, 5, "127.0.0.1:1", "'other' is not 'actortrainer'")]
    [InlineData("actortrainer", 1, 1, "127.0.0.1:1", "itself")]
    [InlineData("actortrainer", 1, 5, null, "is the address of another node")]
    public async Task Dial_DoesNotFit_IsRefusedWithTheReason(string cluster, int version, long incarnation, string? address, string expected)
    {
        await using TransportNode node = (await TransportNode.ListenAsync(1, TransportNode.NewModel())).Join(_ => null).OpenChannel();
        PeerIntroduction caller = new(cluster, version, incarnation, address is null ? node.Address : NodeAddress.Parse(address));
        using PeerDialer dialer = new(caller, null, TimeProvider.System);
        foreach (string path in new[] { PeerProtocol.GossipPath, PeerProtocol.NodePath })
        {
            DialOutcome outcome = await dialer.DialAsync(node.Address, path, TransportNode.Deadline, default);
            outcome.Socket.ShouldBeNull();
            outcome.Refused.ShouldBeTrue();
            outcome.Failure.ShouldNotBeNull().ShouldContain(expected);
        }
    }

    [Fact]
    public async Task Dial_NodeWithoutLife_IsToldToComeAgain()
    {
        await using TransportNode node = await TransportNode.ListenAsync(1, TransportNode.NewModel());
        using PeerDialer dialer = new(new PeerIntroduction("actortrainer", 1, 5, new NodeAddress("127.0.0.1", 1)), null, TimeProvider.System);
        DialOutcome outcome = await dialer.DialAsync(node.Address, PeerProtocol.GossipPath, TransportNode.Deadline, default);
        outcome.Refused.ShouldBeFalse();
        outcome.Failure.ShouldNotBeNull().ShouldContain("starting");
    }

    private static NodeHttpServer NewServer(NodeModel model) => new(
        model, routes => routes.MapGet("/hello", context => context.Response.WriteAsync("hello")), NullLoggerFactory.Instance, TimeProvider.System);
}
