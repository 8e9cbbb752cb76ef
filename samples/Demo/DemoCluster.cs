using System.Diagnostics;
using ActorTrainer.Client;

namespace ActorTrainer.Samples.Demo;

/// <summary>The folder, the nodes and the uninterrupted runs; ending it ends every process.</summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _referenceRuns;

    public DemoCluster(DemoPaths paths, int nodes)
    {
        Folder = Directory.CreateTempSubdirectory("actortrainer-demo-").FullName;
        Nodes = NodeProcess.Create(nodes, Folder);
        Client = new ActorTrainerClient(
            new ActorTrainerClientOptions { Nodes = [.. Nodes.Select(n => n.Address)], Timeout = TimeSpan.FromSeconds(5) }
        );
        References = new References(paths.DigitsAssembly, [.. DemoTasks.Digits(paths).Select(task => task.Seed)]);
        _referenceRuns = References.RunAsync(_stop.Token);
    }

    /// <summary>Journal, checkpoints, logs.</summary>
    public string Folder { get; }

    public IReadOnlyList<NodeProcess> Nodes { get; }

    /// <summary>Asks any node.</summary>
    public ActorTrainerClient Client { get; }

    public References References { get; }

    /// <exception cref="DemoException">A node has ended that should run, or an uninterrupted run has failed.</exception>
    public void ThrowIfBroken()
    {
        if (_referenceRuns.Exception?.InnerException is { } failed)
        {
            throw new DemoException(failed.Message);
        }

        if (Nodes.FirstOrDefault(node => !node.IsRunning && node.Fate.Length == 0) is { } ended)
        {
            throw new DemoException($"{ended.Name} has ended by itself: {LastLine(ended)}");
        }
    }

    /// <summary>Waits until the workers of these tasks are gone, which their guards see to.</summary>
    public static async Task EndWorkersAsync(IEnumerable<TaskRecord> tasks)
    {
        long started = TimeProvider.System.GetTimestamp();
        foreach (int pid in tasks.Where(t => !t.Finished).Select(t => t.Starts.LastOrDefault()?.Pid ?? 0).Where(pid => pid > 0))
        {
            while (FindProcess(pid) is { } worker)
            {
                using (worker)
                {
                    if (TimeProvider.System.GetElapsedTime(started) > Patience)
                    {
                        worker.Kill(entireProcessTree: true);
                        break;
                    }
                }

                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (NodeProcess node in Nodes)
        {
            node.Kill();
        }

        foreach (NodeProcess node in Nodes)
        {
            await node.WaitForExitAsync(CancellationToken.None);
            node.Dispose();
        }

        await _referenceRuns.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Client.Dispose();
        _stop.Dispose();
    }

    /// <summary>Removes the folder; guards may write in it until they have ended.</summary>
    public async Task RemoveFolderAsync()
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.Delete(Folder, recursive: true);
                return;
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    private static Process? FindProcess(int pid)
    {
        try
        {
            return Process.GetProcessById(pid);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string LastLine(NodeProcess node) =>
        File.Exists(node.LogPath) ? File.ReadLines(node.LogPath).LastOrDefault(line => line.Length > 0) ?? "" : "";
}
