using System.Net;
using System.Net.Sockets;

namespace ActorTrainer.Client.Tests;

public sealed class NodeHttpTests
{
    [Fact]
    public async Task Get_ConnectionThatBreaksAsItStands_IsAFailureToConnect()
    {
        using HttpClient http = NodeHttp.CreateClient(new BrokenConnections(), token: null);

        HttpRequestException failure = await Should.ThrowAsync<HttpRequestException>(() => http.GetAsync(new Uri("http://127.0.0.1/")));

        failure.HttpRequestError.ShouldBe(HttpRequestError.ConnectionError);
        failure.InnerException.ShouldBeOfType<SocketException>().SocketErrorCode.ShouldBe(SocketError.NotConnected);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/", null, "mine", new[] { "Bearer mine" })]
    [InlineData("http://127.0.0.1:1/", null, "another", new[] { "Bearer another", "" })]
    [InlineData("http://127.0.0.1:1/", null, null, new[] { "" })]
    [InlineData("http://192.0.2.1:7400/", null, "mine", new[] { "" })]
    [InlineData("http://192.0.2.1:7400/", "shared", "mine", new[] { "Bearer shared" })]
    [InlineData("http://127.0.0.1:1/", "shared", "mine", new[] { "Bearer shared" })]
    public async Task Get_TokensOfClusterAndUser_GoWhereTheyMay(string address, string? token, string? user, string[] sent)
    {
        Node node = new("Bearer mine");
        using HttpClient http = NodeHttp.CreateClient(node, token, () => user);

        using HttpResponseMessage answer = await http.GetAsync(new Uri(address));

        node.Seen.ShouldBe(sent);
    }

    private sealed class Node(string wanted) : HttpMessageHandler
    {
        public List<string> Seen { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Seen.Add(request.Headers.Authorization?.ToString() ?? "");
            return Task.FromResult(new HttpResponseMessage(Seen[^1] == wanted ? HttpStatusCode.OK : HttpStatusCode.Unauthorized));
        }
    }

    private sealed class BrokenConnections : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new SocketException((int)SocketError.NotConnected);
    }
}
