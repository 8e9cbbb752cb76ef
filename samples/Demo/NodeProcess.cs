using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Samples.Demo;

/// <summary>One node: a process of <c>actortrainer node</c> on loopback, with its log in the demo's folder.</summary>
internal sealed class NodeProcess(int number, NodeAddress address, string folder) : IDisposable
{
    private Process? _process;

    public int Number { get; } = number;

    public string Name { get; } = string.Create(CultureInfo.InvariantCulture, $"node{number}");

    public NodeAddress Address { get; } = address;

    public string LogPath { get; } = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"node{number}.log"));

    /// <summary>Asks this node alone: only the node that runs a task knows its newest progress.</summary>
    public ActorTrainerClient Client { get; } = new(new ActorTrainerClientOptions { Nodes = [address], Timeout = TimeSpan.FromSeconds(2) });

    /// <summary>What the user did to it, or empty.</summary>
    public string Fate { get; set; } = "";

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Whether it was ever started.</summary>
    public bool WasStarted => _process is not null;

    /// <summary>Prepares nodes on free ports; none is started.</summary>
    public static IReadOnlyList<NodeProcess> Create(int count, string folder) =>
        [.. NodePorts.Choose(count).Select((port, i) => new NodeProcess(i + 1, new NodeAddress("127.0.0.1", port), folder))];

    /// <summary>Starts the process; again after it ended, it is a new life of the node.</summary>
    public void Start(string executable, IEnumerable<NodeProcess> all, int slots)
    {
        ProcessStartInfo start = new("/bin/sh")
        {
            // The shell only opens the log; exec keeps the process id.
            ArgumentList = { "-c", "log=$1; shift; exec \"$@\" >> \"$log\" 2>&1 < /dev/null", "node", LogPath },
            WorkingDirectory = folder,
        };
        string[] command =
        [
            executable,
            "node",
            "--address",
            Address.ToString(),
            "--name",
            Name,
            "--slots",
            slots.ToString(CultureInfo.InvariantCulture),
            "--set",
            "actortrainer.cluster.name=demo",
            .. all.SelectMany(node => new[] { "--seed", node.Address.ToString() }),
        ];
        foreach (string argument in command)
        {
            start.ArgumentList.Add(argument);
        }

        _process?.Dispose();
        Fate = "";
        _process = Process.Start(start) ?? throw new DemoException($"{executable} did not start");
    }

    /// <summary>SIGKILL, to this process alone: its guard sees the broken pipe and ends the workers.</summary>
    public void Kill()
    {
        try
        {
            _process?.Kill(entireProcessTree: false);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    public Task WaitForExitAsync(CancellationToken cancellationToken) =>
        _process?.WaitForExitAsync(cancellationToken) ?? Task.CompletedTask;

    public void Dispose()
    {
        Client.Dispose();
        _process?.Dispose();
    }
}
