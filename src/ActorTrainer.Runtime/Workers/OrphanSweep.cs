using System.Globalization;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>Ends workers of this machine that nobody who answers for them will end in time.</summary>
internal static class OrphanSweep
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Those of a node that no guard watches any more: after the guard's death, and what a former life of the node left. They are known by
    /// <c>ACTORTRAINER_NODE_DIR</c> in their environment, by their group, or by a process above them.
    /// </summary>
    /// <returns>How many there were at first.</returns>
    public static Task<int> RunAsync(
        string nodeDirectory,
        IReadOnlyCollection<int> groups,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        EndAsync(
            process =>
                groups.Contains(process.Group) || ProcessTable.EnvironmentOf(process.Pid, WorkerEnvironment.NodeDirectory) == nodeDirectory,
            time,
            cancellationToken
        );

    /// <summary>
    /// Those of former terms of a task, on whatever node of this machine: that node has lost the task, and may hang. Their port is free and
    /// their files are nobody's before the next run begins. They are known by <c>ACTORTRAINER_RUN</c>.
    /// </summary>
    /// <returns>How many there were at first.</returns>
    public static Task<int> EndFormerAsync(RunKey run, TimeProvider time, CancellationToken cancellationToken) =>
        EndAsync(process => IsFormer(ProcessTable.EnvironmentOf(process.Pid, RunMembers.RunVariable), run), time, cancellationToken);

    /// <summary>Whether the name is that of a run of the same task under an earlier term.</summary>
    internal static bool IsFormer(string? name, RunKey run)
    {
        string prefix = $"{run.Task}/";
        return name is not null
            && name.StartsWith(prefix, StringComparison.Ordinal)
            && name.IndexOf('-', prefix.Length) is > 0 and int dash
            && long.TryParse(
                name.AsSpan(prefix.Length, dash - prefix.Length),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out long term
            )
            && term < run.Term;
    }

    /// <summary>Kills until none is left.</summary>
    private static async Task<int> EndAsync(Func<ProcessEntry, bool> isMeant, TimeProvider time, CancellationToken cancellationToken)
    {
        long from = time.GetTimestamp();
        List<int> found = Find(isMeant);
        int first = found.Count;
        while (found.Count > 0 && time.GetElapsedTime(from) < GiveUpAfter)
        {
            foreach (int pid in found)
            {
                _ = Posix.Kill(pid, Posix.SignalKill);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
            found = Find(isMeant);
        }

        return first;
    }

    private static List<int> Find(Func<ProcessEntry, bool> isMeant)
    {
        Dictionary<int, ProcessEntry> table = ProcessTable.Read();
        HashSet<int> spared = [.. AncestorsOf(Environment.ProcessId, table)];
        HashSet<int> found = [];
        foreach (ProcessEntry process in table.Values)
        {
            if (!spared.Contains(process.Pid) && isMeant(process))
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
