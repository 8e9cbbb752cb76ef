using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace ActorTrainer.Client;

/// <summary>
/// HTTP to nodes: no proxy, the cluster's token or the user's, and one kind of exception for a connection that does not come to stand.
/// </summary>
internal static class NodeHttp
{
    /// <summary>A client without a time-out of its own for whole requests.</summary>
    /// <param name="connectTimeout">How long a connection may take to stand.</param>
    /// <param name="token">The cluster's token, or null: nodes on loopback are sent the user's then, where there is one.</param>
    public static HttpClient CreateClient(TimeSpan connectTimeout, string? token) =>
        CreateClient(new SocketsHttpHandler { ConnectTimeout = connectTimeout, UseProxy = false }, token);

    /// <param name="connections">What requests go through.</param>
    /// <param name="token">As above.</param>
    /// <param name="userToken">Reads the user's; null: <see cref="UserToken.Read()"/>.</param>
    internal static HttpClient CreateClient(HttpMessageHandler connections, string? token, Func<string?>? userToken = null)
    {
        HttpMessageHandler handler = new ConnectionFailures(connections);
        HttpClient http = new(token is null ? new UserTokens(handler, userToken ?? UserToken.Read) : handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.Authorization = token is null ? null : Bearer(token);
        return http;
    }

    private static AuthenticationHeaderValue Bearer(string token) => new("Bearer", token);

    /// <summary>
    /// Read for each request: the first node of a user makes it, perhaps after this client was made. Whoever else has taken the node's port
    /// is not told. A node that wants another token is asked again without: it says then what it wants, and not that a token is wrong which
    /// nobody gave.
    /// </summary>
    private sealed class UserTokens(HttpMessageHandler inner, Func<string?> read) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (
                request.RequestUri is { IsLoopback: true } uri
                && read() is { } token
                && !ListenerOwner.IsAnother(uri.Host.Trim('[', ']'), uri.Port)
            )
            {
                request.Headers.Authorization = Bearer(token);
                HttpResponseMessage answer = await base.SendAsync(request, cancellationToken);
                if (answer.StatusCode != HttpStatusCode.Unauthorized)
                {
                    return answer;
                }

                answer.Dispose();
                request.Headers.Authorization = null;
            }

            return await base.SendAsync(request, cancellationToken);
        }
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
