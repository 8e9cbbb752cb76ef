using System.Net;
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
        await using NodeHttpServer first = NewServer(NewModel());
        await first.StartAsync(default);
        await using NodeHttpServer second = NewServer(NewModel(first.Address.Port));
        NodeAddressException e = await Should.ThrowAsync<NodeAddressException>(() => second.StartAsync(default));
        e.Address.ShouldBe(first.Address);
        e.Message.ShouldContain(first.Address.ToString());
        e.Message.ShouldContain("actortrainer.node.address");
    }

    [Fact]
    public async Task StartAsync_AddressOfAnotherMachine_IsRefused()
    {
        NodeModel model = NewModel() with
        {
            Address = new NodeAddress("192.0.2.1", 0),
            Security = new SecurityModel { Token = "t" },
        };
        await using NodeHttpServer server = NewServer(model);
        NodeAddressException e = await Should.ThrowAsync<NodeAddressException>(() => server.StartAsync(default));
        e.Message.ShouldContain("192.0.2.1");
    }

    [Fact]
    public async Task StartAsync_NotLoopbackWithoutToken_IsRefused()
    {
        await using NodeHttpServer server = NewServer(NewModel() with { Address = new NodeAddress("0.0.0.0", 0) });
        NodeAddressException e = await Should.ThrowAsync<NodeAddressException>(() => server.StartAsync(default));
        e.Message.ShouldContain("security.token-file");
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer secreT", HttpStatusCode.Unauthorized)]
    [InlineData("Basic secret", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer secret", HttpStatusCode.OK)]
    public async Task AnyRequest_TokenConfigured_NeedsIt(string? authorization, HttpStatusCode expected)
    {
        await using NodeHttpServer server = NewServer(NewModel() with { Security = new SecurityModel { Token = "secret" } });
        await server.StartAsync(default);
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Get, $"http://{server.Address}/hello");
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization).ShouldBeTrue();
        }

        using HttpResponseMessage response = await http.SendAsync(request, default(CancellationToken));
        response.StatusCode.ShouldBe(expected);
    }

    private static NodeModel NewModel(int port = 0) => new() { Address = new NodeAddress("127.0.0.1", port) };

    private static NodeHttpServer NewServer(NodeModel model) =>
        new(
            model,
            routes => routes.MapGet("/hello", context => context.Response.WriteAsync("hello")),
            NullLoggerFactory.Instance,
            TimeProvider.System
        );
}
