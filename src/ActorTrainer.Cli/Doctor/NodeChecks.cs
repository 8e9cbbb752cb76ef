using System.Net;
using System.Net.Sockets;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Cli.Doctor;

/// <summary>Checks the node: its port, whether one answers, and its cluster.</summary>
internal static class NodeChecks
{
    public static async Task<IReadOnlyList<Finding>> RunAsync(
        ActorTrainerClient client,
        NodeModel model,
        CancellationToken cancellationToken
    )
    {
        List<Finding> findings = [];
        bool answers = false;
        try
        {
            VersionInfo version = await client.GetVersionAsync(cancellationToken);
            answers = true;
            findings.Add(
                version.Version == ApiEndpoints.ProductVersion
                    ? new Finding("node", Level.Ok, $"version {version.Version} answers at {client.KnownNodes[0]}")
                    : new Finding(
                        "node",
                        Level.Warn,
                        $"version {version.Version} answers, this is {ApiEndpoints.ProductVersion}",
                        "use the same version"
                    )
            );
            findings.Add(Cluster(await client.GetClusterAsync(cancellationToken)));
        }
        catch (NoNodeException e)
        {
            findings.Add(
                new Finding(
                    "node",
                    Level.Warn,
                    $"no node answers at {string.Join(", ", e.Asked)}",
                    "start one with 'actortrainer node', or give --node"
                )
            );
        }
        catch (ActorTrainerApiException e)
        {
            answers = true;
            findings.Add(new Finding("node", Level.Warn, e.Problem, e.Advice));
        }

        findings.Add(Port(model.Address, answers && client.KnownNodes.Contains(model.Address)));
        return findings;
    }

    private static Finding Cluster(ClusterStatus status)
    {
        MemberView[] trouble = [.. status.Members.Where(member => member.State is MemberState.Suspect or MemberState.Down)];
        int up = status.Members.Count(member => member.State == MemberState.Up);
        string found = $"{up} of {status.Members.Count} members up, {status.UnfinishedTasks} unfinished tasks";
        return trouble.Length == 0 && status.UnassignedShards == 0
            ? new Finding("cluster", Level.Ok, found)
            : new Finding("cluster", Level.Warn, found, "look with 'actortrainer cluster show'");
    }

    private static Finding Port(NodeAddress address, bool nodeAnswers)
    {
        if (nodeAnswers)
        {
            return new Finding("port", Level.Ok, $"{address} is the running node's");
        }

        try
        {
            IPAddress ip = IPAddress.TryParse(address.Host, out IPAddress? parsed) ? parsed : Dns.GetHostAddresses(address.Host)[0];
            using Socket socket = new(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(ip, address.Port));
            return new Finding("port", Level.Ok, $"{address} is free");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return new Finding("port", Level.Fail, $"{address} is in use by another program", "give another one with --address");
        }
        catch (SocketException e)
        {
            return new Finding("port", Level.Fail, $"{address} cannot be listened on: {e.Message}", "give an address of this machine");
        }
    }
}
