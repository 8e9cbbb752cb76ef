using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Testing.Processes;

/// <summary>
/// Ports of this machine for nodes. A node also listens at its port plus <see cref="AkkaModel.PortOffset"/>, so both
/// must be free; and both lie below the ports that the system gives to outgoing connections, or one of those could take the second.
/// </summary>
internal static class LoopbackPorts
{
    private const int First = 20_000;
    private const int Blocks = 6;
    private static readonly int Offset = new AkkaModel().PortOffset;

    /// <summary>
    /// Random, so that test programs that run at the same time begin apart; each port is then handed out once in a round.
    /// </summary>
    private static int _next = RandomNumberGenerator.GetInt32(Blocks * Offset);

    /// <summary>Ports that nobody listened at a moment ago.</summary>
    /// <exception cref="InvalidOperationException">There are not that many.</exception>
    public static int[] Free(int count)
    {
        List<int> ports = [];
        for (int i = 0; i < Blocks * Offset && ports.Count < count; i++)
        {
            // Every other block of the offset's length, so that no node's port is another one's second.
            int place = (int)((uint)Interlocked.Increment(ref _next) % (uint)(Blocks * Offset));
            int port = First + (place / Offset * 2 * Offset) + (place % Offset);
            if (IsFree(port) && IsFree(port + Offset))
            {
                ports.Add(port);
            }
        }

        return ports.Count == count ? [.. ports] : throw new InvalidOperationException($"there are no {count} free ports from {First} on");
    }

    private static bool IsFree(int port)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
