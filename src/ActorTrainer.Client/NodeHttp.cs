using System.Net.Http.Headers;
using System.Net.Sockets;

namespace ActorTrainer.Client;

/// <summary>HTTP to nodes: no proxy, the cluster's token, and one kind of exception for a connection that does not come to stand.</summary>
internal static class NodeHttp
{
    /// <summary>A client without a time-out of its own for whole requests.</summary>
    /// <param name="connectTimeout">How long a connection may take to stand.</param>
    /// <param name="token">The cluster's token, or null.</param>
    public static HttpClient CreateClient(TimeSpan connectTimeout, string? token) =>
        CreateClient(new SocketsHttpHandler { ConnectTimeout = connectTimeout, UseProxy = false }, token);

    internal static HttpClient CreateClient(HttpMessageHandler connections, string? token)
    {
        HttpClient http = new(new ConnectionFailures(connections)) { Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return http;
    }

    /// <summary>
    /// .NET lets the socket's own exception out when the other side goes just as the connection stands, before the request is sent: callers
    /// know it as what it is, a failure to connect.
    /// </summary>
    private sealed class ConnectionFailures(HttpMessageHandler connections) : DelegatingHandler(connections)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (SocketException e)
            {
                throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
            }
        }
    }
}
