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

    private sealed class BrokenConnections : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new SocketException((int)SocketError.NotConnected);
    }
}
