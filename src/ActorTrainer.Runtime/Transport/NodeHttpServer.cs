using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

/// <summary>
/// The one port of a node: the API, and the WebSockets of its peers, over HTTP/1.1. It listens before the node has a life number, which it
/// is told later; until then peers are asked to come again.
/// </summary>
public sealed partial class NodeHttpServer : IAsyncDisposable
{
    // Gossip must not wait until the pool has grown by one thread each half second.
    private const int LeastPoolThreads = 32;
    private static readonly TimeSpan DrainTime = TimeSpan.FromMilliseconds(300);

    private readonly NodeModel _model;
    private readonly Action<IEndpointRouteBuilder> _mapMore;
    private readonly ILoggerFactory _loggers;
    private readonly Action<IServiceCollection>? _services;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _app;
    private long _incarnation;

    /// <summary>Prepares the server; nothing listens yet.</summary>
    /// <param name="model">Name of the cluster and the node, address (port 0: any free port), token.</param>
    /// <param name="mapMore">Adds the endpoints of the API.</param>
    /// <param name="loggers">Where it logs, ASP.NET Core's own warnings included.</param>
    /// <param name="time">The clock.</param>
    /// <param name="services">Adds services that those endpoints need.</param>
    public NodeHttpServer(
        NodeModel model,
        Action<IEndpointRouteBuilder> mapMore,
        ILoggerFactory loggers,
        TimeProvider time,
        Action<IServiceCollection>? services = null)
    {
        _model = model;
        _time = time;
        _logger = loggers.CreateLogger<NodeHttpServer>();
        Address = model.Address;
        _mapMore = mapMore;
        _loggers = loggers;
        _services = services;
    }

    /// <summary>Where it listens; after the start with the actual port.</summary>
    public NodeAddress Address { get; private set; }

    /// <summary>The present life, 0: none yet.</summary>
    public long Incarnation
    {
        get => Interlocked.Read(ref _incarnation);
        set => Interlocked.Exchange(ref _incarnation, value);
    }

    /// <summary>Takes the gossip connections of peers; null: they are asked to come again. Set by <see cref="GossipRunner"/>.</summary>
    internal IPeerAcceptor? Gossip { get; set; }

    /// <summary>Takes the message connections of peers. Set by <see cref="PeerChannel"/>.</summary>
    internal IPeerAcceptor? Peers { get; set; }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="NodeAddressException">The address is in use, is not one of this machine, or is open to others without a token.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(int.Max(workers, LeastPoolThreads), completions);
        WebApplication app = _app = Build();
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException || FindSocketError(e) == SocketError.AddressAlreadyInUse)
        {
            throw new NodeAddressException(
                _model.Address,
                "the port is in use by another process: stop that one, or set actortrainer.node.address to a free port",
                e);
        }
        catch (Exception e) when (FindSocketError(e) is { } error)
        {
            throw new NodeAddressException(
                _model.Address,
                $"cannot listen there ({error}): set actortrainer.node.address to an address of this machine and a port it may open",
                e);
        }

        string url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
        Address = Uri.TryCreate(url, UriKind.Absolute, out Uri? bound) ? _model.Address with { Port = bound.Port } : _model.Address;
        LogListening(_logger, Address);
    }

    /// <summary>
    /// Aborts what is still open and closes the listener. Gossip and peer messages are ended before, so that the listener closes last: as long
    /// as it answers, nobody takes the end of a connection for a crash.
    /// </summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        if (_app is null)
        {
            return;
        }

        using CancellationTokenSource limit = new(DrainTime, _time);
        await _app.StopAsync(limit.Token);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        _stopping.Dispose();
    }

    private WebApplication Build()
    {
        // The empty builder reads no files and no environment: what the node's configuration does not say does not happen.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(_loggers);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        _services?.Invoke(builder.Services);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Listen);

        WebApplication app = builder.Build();
        TokenGate gate = new(_model.Security.Token);
        app.Use(next => context => gate.InvokeAsync(context, next));
        // Heartbeats tell whether a peer lives; the protocol's own keep-alive would only add a second opinion.
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.UseRouting();
        app.MapGet(PeerProtocol.IdentityPath, AnswerIdentityAsync);
        app.Map(PeerProtocol.GossipPath, context => AcceptPeerAsync(context, Gossip));
        app.Map(PeerProtocol.NodePath, context => AcceptPeerAsync(context, Peers));
        _mapMore(app);
        return app;
    }

    private void Listen(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        // A node at its limits drops API calls later than peers: no limit on upgraded connections.
        options.Limits.MaxConcurrentUpgradedConnections = null;
        IPAddress[] addresses = Resolve();
        if (_model.Security.Token is null && !Array.TrueForAll(addresses, IPAddress.IsLoopback))
        {
            throw new NodeAddressException(
                _model.Address,
                "an address that is not loopback needs a shared token: set actortrainer.security.token-file, or listen on 127.0.0.1");
        }

        // Any free port cannot be the same on several addresses.
        foreach (IPAddress address in _model.Address.Port == 0 ? addresses[..1] : addresses)
        {
            options.Listen(address, _model.Address.Port, listen => listen.Protocols = HttpProtocols.Http1);
        }
    }

    private IPAddress[] Resolve()
    {
        if (IPAddress.TryParse(_model.Address.Host, out IPAddress? literal))
        {
            return [literal];
        }

        try
        {
            IPAddress[] found = [.. Dns.GetHostAddresses(_model.Address.Host).Distinct()];
            // localhost often has an IPv6 address that the machine does not have.
            IPAddress[] version4 = [.. found.Where(address => address.AddressFamily == AddressFamily.InterNetwork)];
            return version4.Length > 0 ? version4 : found.Length > 0 ? found : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (SocketException e)
        {
            throw new NodeAddressException(
                _model.Address, $"the host name cannot be resolved ({e.SocketErrorCode}): set actortrainer.node.address to an address of this machine", e);
        }
    }

    private static SocketError? FindSocketError(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is SocketException socket)
            {
                return socket.SocketErrorCode;
            }
        }

        return null;
    }

    private async Task AnswerIdentityAsync(HttpContext context)
    {
        PeerIdentity identity = new(_model.ClusterName, PeerProtocol.Version, Incarnation, _model.NodeName);
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(identity, PeerJsonContext.Default.PeerIdentity);
        context.Response.ContentType = "application/json";
        // Without a length it would be chunked, which the fresh probe does not read.
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private async Task AcceptPeerAsync(HttpContext context, IPeerAcceptor? acceptor)
    {
        long incarnation = Incarnation;
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "this path is for the WebSockets of nodes");
            return;
        }

        PeerIntroduction? caller = PeerIntroduction.Read(name => context.Request.Headers[name]);
        PeerIntroduction here = new(_model.ClusterName, PeerProtocol.Version, incarnation, Address);
        string? refusal = caller is null ? "the headers by which a node introduces itself are missing" : caller.Refusal(here);
        if (caller is null || refusal is not null)
        {
            LogRefused(_logger, caller?.Address.ToString() ?? "an unknown node", refusal!);
            await RefuseAsync(context, StatusCodes.Status403Forbidden, refusal!);
            return;
        }

        if (acceptor is null || incarnation == 0)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, $"{Address} is starting");
            return;
        }

        foreach ((string name, string value) in here.ToHeaders())
        {
            context.Response.Headers[name] = value;
        }

        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        await acceptor.AcceptAsync(caller, socket, ended.Token);
    }

    private static async Task RefuseAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        context.Response.Headers[PeerProtocol.RefusedHeader] = PeerIntroduction.ToHeaderValue(reason);
        await context.Response.WriteAsync(reason, context.RequestAborted);
    }
}

/// <summary>Takes connections that peers opened.</summary>
internal interface IPeerAcceptor
{
    /// <summary>Uses the socket until it ends; then it is disposed of by the caller.</summary>
    Task AcceptAsync(PeerIntroduction peer, WebSocket socket, CancellationToken cancellationToken);
}
