using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Samples.Demo;

/// <summary>
/// Free ports for nodes. A node also listens at its port plus <see cref="AkkaModel.PortOffset"/>; both lie below the
/// ports that the system gives to outgoing connections, or one of those could take the second.
/// </summary>
internal static class NodePorts
{
    private const int First = 20_000;
    private const int Last = 30_999;

    /// <exception cref="DemoException">There are not that many.</exception>
    public static IReadOnlyList<int> Choose(int count)
    {
        int offset = new AkkaModel().PortOffset;
        int start = RandomNumberGenerator.GetInt32(Last - First + 1);
        List<int> ports = [];
        for (int i = 0; i <= Last - First && ports.Count < count; i++)
        {
            int port = First + ((start + i) % (Last - First + 1));
            if (!ports.Contains(port - offset) && !ports.Contains(port + offset) && IsFree(port) && IsFree(port + offset))
            {
                ports.Add(port);
            }
        }

        return ports.Count == count ? ports : throw new DemoException($"there are no {count} free ports between {First} and {Last}");
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
