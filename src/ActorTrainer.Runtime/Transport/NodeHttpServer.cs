using System.Net;
using System.Net.Sockets;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

/// <summary>
/// The port of a node's API, over HTTP/1.1. It listens before the node has a life number.
/// </summary>
internal sealed partial class NodeHttpServer : IAsyncDisposable
{
    // Heartbeats must not wait until the pool has grown by one thread each half second.
    private const int LeastPoolThreads = 32;
    private static readonly TimeSpan DrainTime = TimeSpan.FromMilliseconds(300);

    private readonly NodeModel _model;
    private readonly Action<IEndpointRouteBuilder> _mapMore;
    private readonly ILoggerFactory _loggers;
    private readonly Action<IServiceCollection>? _services;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private WebApplication? _app;

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
        Action<IServiceCollection>? services = null
    )
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

    /// <summary>Begins to listen.</summary>
    /// <exception cref="NodeAddressException">The address is in use, is not one of this machine, or is open to others without a
    /// token.</exception>
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
                e
            );
        }
        catch (Exception e) when (FindSocketError(e) is { } error)
        {
            throw new NodeAddressException(
                _model.Address,
                $"cannot listen there ({error}): set actortrainer.node.address to an address of this machine and a port it may open",
                e
            );
        }

        string url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
        Address = Uri.TryCreate(url, UriKind.Absolute, out Uri? bound) ? _model.Address with { Port = bound.Port } : _model.Address;
        LogListening(_logger, Address, Environment.ProcessId);
    }

    /// <summary>Aborts what is still open and closes the listener.</summary>
    public async Task StopAsync()
    {
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
        app.UseRouting();
        _mapMore(app);
        return app;
    }

    private void Listen(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        IPAddress[] addresses = Resolve();
        if (_model.Security.Token is null && !Array.TrueForAll(addresses, IPAddress.IsLoopback))
        {
            throw new NodeAddressException(
                _model.Address,
                "an address that is not loopback needs a shared token: set actortrainer.security.token-file, or listen on 127.0.0.1"
            );
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
            return version4.Length > 0 ? version4
                : found.Length > 0 ? found
                : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (SocketException e)
        {
            throw new NodeAddressException(
                _model.Address,
                $"the host name cannot be resolved ({e.SocketErrorCode}): set actortrainer.node.address to an address of this machine",
                e
            );
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
}
