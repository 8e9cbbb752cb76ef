using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ActorTrainer.Checkpoints.Tests.S3;

/// <summary>What a proxy does to a request.</summary>
internal enum Fault
{
    None,

    /// <summary>Answers 500 itself.</summary>
    InternalError,

    /// <summary>Answers 503 SlowDown itself.</summary>
    SlowDown,

    /// <summary>Resets the connection before the server hears of the request.</summary>
    ResetBefore,

    /// <summary>Lets the server carry it out and resets the connection instead of answering.</summary>
    ResetAfter,

    /// <summary>Ends the answer in the middle of its body.</summary>
    Truncate,

    /// <summary>Never answers.</summary>
    Hang,

    /// <summary>Answers as the server answered when the same was asked for the first time.</summary>
    Stale,
}

/// <summary>A request that came by.</summary>
/// <param name="Method">For example PUT.</param>
/// <param name="Target">Path and query.</param>
internal sealed record ProxiedRequest(string Method, string Target)
{
    public bool IsListing => Target.Contains("list-type=2", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Target}";
}

/// <summary>
/// An HTTP proxy in front of a server of this machine that does to each request what a function says. One request for each connection.
/// </summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly ConcurrentDictionary<string, byte[]> _first = new(StringComparer.Ordinal);
    private readonly int _target;
    private readonly Task _accepting;

    public FaultyProxy(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>What is done to a request; nothing at first.</summary>
    public Func<ProxiedRequest, Fault> Choose { get; set; } = _ => Fault.None;

    /// <summary>What came by, in its order.</summary>
    public ConcurrentQueue<ProxiedRequest> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Stop();
        await _accepting;
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_over.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                (string head, byte[] body) = await ReadRequestAsync(stream);
                string[] line = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
                ProxiedRequest request = new(line[0], line[1]);
                Requests.Enqueue(request);
                await ApplyAsync(Choose(request), request, head, body, client);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One of the two has gone.
            }
        }
    }

    private async Task ApplyAsync(Fault fault, ProxiedRequest request, string head, byte[] body, TcpClient client)
    {
        NetworkStream stream = client.GetStream();
        switch (fault)
        {
            case Fault.InternalError:
                await stream.WriteAsync(Error("500 Internal Server Error", "InternalError"), _over.Token);
                return;
            case Fault.SlowDown:
                await stream.WriteAsync(Error("503 Service Unavailable", "SlowDown"), _over.Token);
                return;
            case Fault.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _over.Token);
                return;
            case Fault.ResetBefore:
                client.LingerState = new LingerOption(true, 0);
                return;
        }

        byte[] answer = await AskAsync(head, body);
        string key = request.ToString();
        _first.TryAdd(key, answer);
        if (fault == Fault.ResetAfter)
        {
            client.LingerState = new LingerOption(true, 0);
            return;
        }

        byte[] sent = fault == Fault.Stale ? _first[key] : answer;
        int bodyStart = sent.AsSpan().IndexOf(EndOfHead) + EndOfHead.Length;
        int length = fault == Fault.Truncate ? bodyStart + ((sent.Length - bodyStart) / 2) : sent.Length;
        await stream.WriteAsync(sent.AsMemory(0, length), _over.Token);
    }

    private async Task<byte[]> AskAsync(string head, byte[] body)
    {
        using TcpClient server = new();
        await server.ConnectAsync(IPAddress.Loopback, _target, _over.Token);
        NetworkStream stream = server.GetStream();
        string[] kept =
        [
            .. head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !IsHeader(line, "Connection") && !IsHeader(line, "Expect")),
            "Connection: close",
        ];
        await stream.WriteAsync(Encoding.Latin1.GetBytes(string.Join("\r\n", kept) + "\r\n\r\n"), _over.Token);
        await stream.WriteAsync(body, _over.Token);
        using MemoryStream answer = new();
        await stream.CopyToAsync(answer, _over.Token);
        return answer.ToArray();
    }

    private async Task<(string Head, byte[] Body)> ReadRequestAsync(NetworkStream stream)
    {
        List<byte> read = [];
        byte[] buffer = new byte[64 << 10];
        int end;
        while ((end = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(read).IndexOf(EndOfHead)) < 0)
        {
            await FillAsync();
        }

        string head = Encoding.Latin1.GetString([.. read[..end]]);
        string[] lines = head.Split("\r\n");
        if (lines.Any(line => IsHeader(line, "Expect")))
        {
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _over.Token);
        }

        int start = end + EndOfHead.Length;
        int length = lines.FirstOrDefault(line => IsHeader(line, "Content-Length")) is { } header
            ? int.Parse(
                header[(header.IndexOf(':', StringComparison.Ordinal) + 1)..],
                NumberStyles.AllowLeadingWhite,
                CultureInfo.InvariantCulture
            )
            : 0;
        while (read.Count < start + length)
        {
            await FillAsync();
        }

        return (head, [.. read[start..]]);

        async Task FillAsync()
        {
            int count = await stream.ReadAsync(buffer, _over.Token);
            read.AddRange(count > 0 ? buffer[..count] : throw new IOException("the client has gone"));
        }
    }

    private static bool IsHeader(string line, string name) => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase);

    private static byte[] Error(string status, string code)
    {
        string body = $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>Try again.</Message></Error>";
        return Encoding.ASCII.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"
            )
        );
    }
}
