using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Testing.Processes;

/// <summary>
/// A network namespace for each node, with an address of its own, on a bridge that the tests are on as well. A cut moves some of them to a
/// second bridge: what they send to the others is lost without a word and the other way round, while each side reaches its own and the
/// tests reach all. Needs root and iproute2. Disposing of it removes it; the nodes' processes must have ended.
/// </summary>
public sealed class NodeNetwork : IAsyncDisposable
{
    private const string First = "a";
    private const string Second = "b";
    private const int FirstPort = 7400;
    private static int _networks;

    private readonly string _name;
    private readonly string _range;

    private NodeNetwork(int nodes)
    {
        // An interface's name has fifteen characters. The process id keeps those of several test programs apart.
        _name = $"at{Environment.ProcessId:x}{(byte)Interlocked.Increment(ref _networks):x2}";
        _range = FreeRange();
        Nodes = [.. Enumerable.Range(1, nodes).Select(number => new NodeAddress($"{_range}.{number}", FirstPort + number))];
    }

    /// <summary>Where the nodes listen, by number from 1. Each port is another one, since folders are named after them.</summary>
    public IReadOnlyList<NodeAddress> Nodes { get; }

    private string Host => $"{_range}.254";

    /// <summary>Makes the network, without a cut.</summary>
    public static async Task<NodeNetwork> CreateAsync(int nodes)
    {
        NodeNetwork network = new(nodes);
        try
        {
            await network.BuildAsync();
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }

        return network;
    }

    /// <summary>Parts these nodes from the others, which they no longer reach.</summary>
    public Task CutAsync(params IReadOnlyList<int> numbers) =>
        RunAsync([
            .. numbers.SelectMany(n => new[] { Connect(n, Second), $"route add {Nodes[n - 1].Host}/32 dev {_name}{Second} src {Host}" }),
        ]);

    /// <summary>Lets nodes that were parted reach the others again.</summary>
    public Task HealAsync(params IReadOnlyList<int> numbers) =>
        RunAsync([.. numbers.SelectMany(n => new[] { Connect(n, First), $"route del {Nodes[n - 1].Host}/32 dev {_name}{Second}" })]);

    /// <summary>What is put before a command that is to run in a node's namespace; it keeps the process id.</summary>
    internal IReadOnlyList<string> Enter(int number) => ["nsenter", $"--net=/run/netns/{_name}n{number}"];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        // The links first: a namespace without a name stays for as long as a connection in it waits for an answer.
        string[] commands =
        [
            .. Numbers.SelectMany(n => new[] { $"link delete {_name}n{n}", $"netns delete {_name}n{n}" }),
            .. Bridges.Select(bridge => $"link delete {bridge}"),
        ];
        foreach (string command in commands)
        {
            // Some may not have been made.
            await ExecuteAsync([command]);
        }
    }

    private IEnumerable<int> Numbers => Enumerable.Range(1, Nodes.Count);

    private IEnumerable<string> Bridges => [_name + First, _name + Second];

    private string Connect(int number, string bridge) => $"link set {_name}n{number} master {_name}{bridge}";

    private Task BuildAsync()
    {
        // Both bridges have one hardware address: a node that is moved goes on sending to the host at the one that it knows.
        string hardware =
            $"02:00:00:{string.Join(':', IPAddress.Parse(Host).GetAddressBytes()[1..].Select(part => part.ToString("x2", null)))}";
        return RunAsync([
            .. Bridges.SelectMany(bridge => new[] { $"link add {bridge} address {hardware} type bridge", $"link set {bridge} up" }),
            $"address add {Host}/24 dev {_name}{First}",
            .. Numbers.SelectMany(number =>
            {
                string node = $"{_name}n{number}";
                return new[]
                {
                    $"netns add {node}",
                    $"link add {node} type veth peer name eth0 netns {node}",
                    $"-n {node} address add {Nodes[number - 1].Host}/24 dev eth0",
                    $"-n {node} link set lo up",
                    $"-n {node} link set eth0 up",
                    Connect(number, First),
                    $"link set {node} up",
                };
            }),
        ]);
    }

    private static async Task RunAsync(IReadOnlyList<string> commands)
    {
        CommandResult result = await ExecuteAsync(commands);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join("; ", commands)}: {result.Error}");
        }
    }

    private static Task<CommandResult> ExecuteAsync(IReadOnlyList<string> commands) =>
        CommandResult.RunAsync(
            "/bin/sh",
            ["-ec", string.Join('\n', commands.Select(command => $"ip {command}"))],
            Path.GetTempPath(),
            new Dictionary<string, string>()
        );

    /// <summary>One of the ranges that are set aside for tests of networks (RFC 2544) that this machine has no address in.</summary>
    private static string FreeRange()
    {
        HashSet<string> taken =
        [
            .. NetworkInterface
                .GetAllNetworkInterfaces()
                .SelectMany(i => i.GetIPProperties().UnicastAddresses)
                .Select(a => a.Address.ToString())
                .Where(a => a.Contains('.', StringComparison.Ordinal))
                .Select(a => a[..a.LastIndexOf('.')]),
        ];
        string[] free =
        [
            .. Enumerable
                .Range(0, 512)
                .Select(i => FormattableString.Invariant($"198.{18 + (i >> 8)}.{i & 255}"))
                .Where(r => !taken.Contains(r)),
        ];
        return free[RandomNumberGenerator.GetInt32(free.Length)];
    }
}
