using System.Net;
using ActorTrainer.Core.Identity;
using ActorTrainer.Runtime.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Testing.Api;

/// <summary>The HTTP API over a node that answers from lists in a real server on a free loopback port.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiServer(WebApplication app, NodeAddress address)
    {
        _app = app;
        Address = address;
    }

    public NodeAddress Address { get; }

    public static async Task<ApiServer> StartAsync(FakeNode node, ApiOptions? options = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.UseRouting();
        ApiEndpoints.Map(app, node, node, options ?? new ApiOptions());
        await app.StartAsync();
        string url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new ApiServer(app, NodeAddress.Parse(new Uri(url).Authority));
    }

    /// <summary>Ends the server at once, with the connections that are open.</summary>
    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // What is asked for: no waiting for open connections.
        }

        await _app.DisposeAsync();
    }
}
