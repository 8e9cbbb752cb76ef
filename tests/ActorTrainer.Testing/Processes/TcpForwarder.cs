using System.Net;
using System.Net.Sockets;

namespace ActorTrainer.Testing.Processes;

/// <summary>
/// A port on loopback behind which another one is, and which can be closed: for one client alone the server is away then. Disposing of it
/// closes it.
/// </summary>
public sealed class TcpForwarder : IDisposable
{
    private readonly int _target;
    private Opened? _opened;

    /// <summary>Opens a port in front of a server on this machine.</summary>
    /// <param name="target">The server's port.</param>
    public TcpForwarder(int target)
    {
        _target = target;
        Port = LocalCluster.FreeAddress().Port;
        Open();
    }

    /// <summary>Where it listens while it is open.</summary>
    public int Port { get; }

    /// <summary>Lets connections through again.</summary>
    public void Open() => _opened = new Opened(Port, _target);

    /// <summary>Ends all connections and refuses others.</summary>
    public void Close()
    {
        _opened?.Dispose();
        _opened = null;
    }

    /// <inheritdoc />
    public void Dispose() => Close();

    private sealed class Opened : IDisposable
    {
        private readonly CancellationTokenSource _over = new();
        private readonly TcpListener _listener;
        private readonly int _target;

        public Opened(int port, int target)
        {
            _target = target;
            _listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = false };
            _listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _listener.Start();
            _ = AcceptAsync();
        }

        public void Dispose()
        {
            _listener.Stop();
            _over.Cancel();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ForwardAsync(await _listener.AcceptTcpClientAsync(_over.Token));
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Closed.
            }
        }

        private async Task ForwardAsync(TcpClient client)
        {
            using TcpClient server = new();
            using (client)
            {
                try
                {
                    await server.ConnectAsync(IPAddress.Loopback, _target, _over.Token);
                    using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
                    Task[] both =
                    [
                        client.GetStream().CopyToAsync(server.GetStream(), ended.Token),
                        server.GetStream().CopyToAsync(client.GetStream(), ended.Token),
                    ];
                    await Task.WhenAny(both);
                    await ended.CancelAsync();
                    await Task.WhenAll(both);
                }
                catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
                {
                    // One of the two has ended the connection, or it was closed here.
                }
            }
        }
    }
}
