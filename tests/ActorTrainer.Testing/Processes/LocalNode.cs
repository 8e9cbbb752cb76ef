using System.Diagnostics;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Testing.Processes;

/// <summary>One node process of a <see cref="LocalCluster"/>. Its output goes to a file in the cluster's folder.</summary>
public sealed class LocalNode
{
    private readonly LocalCluster _cluster;
    private Process? _process;

    internal LocalNode(LocalCluster cluster, int number, NodeAddress address)
    {
        _cluster = cluster;
        Number = number;
        Address = address;
    }

    /// <summary>From 1.</summary>
    public int Number { get; }

    /// <summary>Where it listens.</summary>
    public NodeAddress Address { get; }

    /// <summary>What it wrote, over all its lives.</summary>
    public string LogPath => Path.Combine(_cluster.Folder, $"node{Number}.log");

    /// <summary>Its process id.</summary>
    public int Pid => _process?.Id ?? 0;

    /// <summary>Whether its process stands.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts the process.</summary>
    public void Start()
    {
        ProcessStartInfo start = new("/bin/sh")
        {
            // The shell only opens the log file; exec keeps the pid.
            ArgumentList = { "-c", "log=$1; shift; exec \"$@\" >> \"$log\" 2>&1", "node", LogPath },
            WorkingDirectory = _cluster.Folder,
            UseShellExecute = false,
        };
        foreach (string argument in _cluster.NodeCommand(this))
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in _cluster.Environment)
        {
            start.Environment[name] = value;
        }

        _process?.Dispose();
        _process = Process.Start(start) ?? throw new InvalidOperationException("the node could not be started");
    }

    /// <summary>Sends a signal to the node's process alone.</summary>
    public void Signal(int signal) => Signals.Send(Pid, signal);

    /// <summary>Ends it with SIGKILL and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill(entireProcessTree: false);
            await process.WaitForExitAsync();
        }
    }

    /// <summary>Waits until the process has ended; its exit code.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process!.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }
}
