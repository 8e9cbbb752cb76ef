using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Runtime;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Runtime.Transport;
using ActorTrainer.Runtime.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ActorTrainer.Cli.Hosting;

/// <summary>The node of this executable: a thin host over the library, as any other program's would be.</summary>
internal sealed class NodeHost : INodeHost
{
    /// <summary>What the host may take to stop beyond the node's own time.</summary>
    private static readonly TimeSpan ShutdownMargin = TimeSpan.FromSeconds(22);

    public async Task<int> RunAsync(NodeModel model, CancellationToken cancellationToken)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddNodeLog(model.Logging);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = model.StopTimeout + ShutdownMargin);
        builder.Services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        builder.Services.AddActorTrainer(model);
        builder.Services.AddHostedService(_ => new IdleTrim());
        using IHost host = builder.Build();
        ActorTrainerNode node = host.Services.GetRequiredService<ActorTrainerNode>();
        try
        {
            await host.RunAsync(cancellationToken);
        }
        catch (Exception e)
            when (e
                    is NodeAddressException
                        or WrongSeedException
                        or JournalOpenException
                        or WorkerHostException
                        or UnauthorizedAccessException
                        or IOException
                        or PlatformNotSupportedException
            )
        {
            throw new UsageException(e.Message);
        }

        if (node.Failure is not null)
        {
            throw node.ExitCode == ExitCodes.Usage ? new UsageException(node.Failure) : new CommandFailedException(node.Failure);
        }

        return node.ExitCode;
    }
}
