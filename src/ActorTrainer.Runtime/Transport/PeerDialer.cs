using System.Globalization;
using System.Net.WebSockets;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Transport;

/// <summary>Opens WebSockets to peers: introduces this node and learns who answers.</summary>
internal sealed class PeerDialer(PeerIntroduction here, string? token, TimeProvider time) : IDisposable
{
    // Never by a proxy of the environment: peers are addressed directly.
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    /// <summary>This node, as it introduces itself.</summary>
    public PeerIntroduction Here { get; } = here;

    public string? Token { get; } = token;

    public async Task<DialOutcome> DialAsync(NodeAddress address, string path, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ClientWebSocket socket = new();
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        socket.Options.CollectHttpResponseDetails = true;
        foreach ((string name, string value) in Here.ToHeaders())
        {
            socket.Options.SetRequestHeader(name, value);
        }

        if (Token is not null)
        {
            socket.Options.SetRequestHeader("Authorization", "Bearer " + Token);
        }

        using CancellationTokenSource limit = new(timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await socket.ConnectAsync(new Uri($"ws://{address}{path}"), _http, either.Token);
            if (long.TryParse(Header(socket, PeerProtocol.IncarnationHeader), NumberStyles.None, CultureInfo.InvariantCulture, out long incarnation))
            {
                return new DialOutcome(socket, incarnation, null, false);
            }

            socket.Dispose();
            return new DialOutcome(null, 0, $"{address} is not a node: it did not introduce itself", false);
        }
        catch (Exception e) when (e is WebSocketException or HttpRequestException or OperationCanceledException or InvalidOperationException)
        {
            string? refusal = Header(socket, PeerProtocol.RefusedHeader);
            // 503: it is there and will answer later.
            bool final = refusal is not null && (int)socket.HttpStatusCode is >= 400 and < 500;
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            string reason = refusal ?? (limit.IsCancellationRequested ? "no answer in time" : e.GetBaseException().Message);
            return new DialOutcome(null, 0, reason, final);
        }
    }

    public void Dispose() => _http.Dispose();

    private static string? Header(ClientWebSocket socket, string name) =>
        socket.HttpResponseHeaders?.FirstOrDefault(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)).Value?.FirstOrDefault();
}

/// <summary>How an attempt to connect ended.</summary>
/// <param name="Socket">The open socket, or null.</param>
/// <param name="Incarnation">Who answered.</param>
/// <param name="Failure">Why there is no socket.</param>
/// <param name="Refused">The node is there and will not speak with this one, however often it is asked.</param>
internal readonly record struct DialOutcome(WebSocket? Socket, long Incarnation, string? Failure, bool Refused);
