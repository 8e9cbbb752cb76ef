using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Runtime.Transport;

/// <summary>
/// Asks over a connection of its own who listens at an address. Plain sockets: what matters is whether the connection was refused, and no pool
/// or retry may stand between.
/// </summary>
internal sealed class FreshProber(string cluster, string? token, TimeProvider time)
{
    private const int LongestAnswer = 16 * 1024;
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(20);

    public async Task<FreshProbe> ProbeAsync(NodeAddress address, long incarnation, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = new(timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (true)
            {
                FreshProbe? outcome = await TryAsync(address, incarnation, either.Token);
                if (outcome is { } known)
                {
                    return known;
                }

                // A dying process still accepts for a moment, and then resets. Until it refuses or answers nothing is known.
                await Task.Delay(Again, time, either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return FreshProbe.TimedOut;
        }
    }

    private async Task<FreshProbe?> TryAsync(NodeAddress address, long incarnation, CancellationToken cancellationToken)
    {
        using TcpClient client = new() { NoDelay = true };
        try
        {
            await client.ConnectAsync(address.Host, address.Port, cancellationToken);
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused ? FreshProbe.Refused : null;
        }

        try
        {
            NetworkStream stream = client.GetStream();
            string authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
            string request = $"GET {PeerProtocol.IdentityPath} HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
            byte[] answer = new byte[LongestAnswer];
            int length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken);
            return length == 0 ? null : Judge(Encoding.UTF8.GetString(answer, 0, length), incarnation);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return null;
        }
    }

    private FreshProbe Judge(string answer, long incarnation)
    {
        int body = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (!answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) || body < 0)
        {
            // Someone answers, and does not say who: no evidence, silence decides.
            return FreshProbe.SameIncarnation;
        }

        try
        {
            PeerIdentity? identity = JsonSerializer.Deserialize(answer.AsSpan(body + 4), PeerJsonContext.Default.PeerIdentity);
            return identity is null || (identity.Cluster == cluster && identity.Incarnation == incarnation)
                ? FreshProbe.SameIncarnation
                : FreshProbe.OtherIncarnation;
        }
        catch (JsonException)
        {
            return FreshProbe.SameIncarnation;
        }
    }
}
