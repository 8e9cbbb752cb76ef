using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// Ends the workers of a node that no guard watches any more: after the guard's death, and what a former life of the node left.
/// They are known by <c>ACTORTRAINER_NODE_DIR</c> in their environment, by their group, or by a process above them.
/// </summary>
internal static class OrphanSweep
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(10);

    /// <summary>Kills until none is left; returns how many there were at first.</summary>
    public static async Task<int> RunAsync(
        string nodeDirectory,
        IReadOnlyCollection<int> groups,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        long from = time.GetTimestamp();
        List<int> found = Find(nodeDirectory, groups);
        int first = found.Count;
        while (found.Count > 0 && time.GetElapsedTime(from) < GiveUpAfter)
        {
            foreach (int pid in found)
            {
                _ = Posix.Kill(pid, Posix.SignalKill);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
            found = Find(nodeDirectory, groups);
        }

        return first;
    }

    private static List<int> Find(string nodeDirectory, IReadOnlyCollection<int> groups)
    {
        Dictionary<int, ProcessEntry> table = ProcessTable.Read();
        HashSet<int> spared = [.. AncestorsOf(Environment.ProcessId, table)];
        HashSet<int> found = [];
        foreach (ProcessEntry process in table.Values)
        {
            if (
                !spared.Contains(process.Pid)
                && (
                    groups.Contains(process.Group)
                    || ProcessTable.EnvironmentOf(process.Pid, WorkerEnvironment.NodeDirectory) == nodeDirectory
                )
            )
            {
                _ = found.Add(process.Pid);
                found.UnionWith(
                    ProcessTable.DescendantsOf(process.Pid, table).Select(child => child.Pid).Where(pid => !spared.Contains(pid))
                );
            }
        }

        return [.. found];
    }

    /// <summary>This process and those above it are never swept, whatever their environment says.</summary>
    private static IEnumerable<int> AncestorsOf(int pid, Dictionary<int, ProcessEntry> table)
    {
        HashSet<int> seen = [];
        while (seen.Add(pid) && table.TryGetValue(pid, out ProcessEntry entry))
        {
            pid = entry.Parent;
        }

        return seen;
    }
}
