namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>Finds the processes of a run among the guard's descendants, also those that left its group and session.</summary>
internal static class RunMembers
{
    public const string RunVariable = "ACTORTRAINER_RUN";

    /// <summary>
    /// A process belongs to a run by its group, by its environment, or because a process above it does. One that shows none of these
    /// (it left the group, cleared its environment, and lost its parent) belongs to the only run that may have started it; when
    /// several may, it is left alone until one remains.
    /// </summary>
    public static List<ProcessEntry> Find(
        GuardRun run,
        IReadOnlyCollection<GuardRun> standing,
        int guardPid,
        Dictionary<int, ProcessEntry> table,
        Func<int, string?> runOf
    )
    {
        Dictionary<int, GuardRun?> owners = [];
        List<ProcessEntry> members = [];
        // Breadth first, so that the owner of a parent is known before its children are looked at.
        foreach (ProcessEntry process in ProcessTable.DescendantsOf(guardPid, table))
        {
            GuardRun? owner = owners.GetValueOrDefault(process.Parent) ?? OwnerByMark(process, standing, runOf);
            if (owner is null && process.Parent == guardPid)
            {
                GuardRun[] candidates = [.. standing.Where(candidate => candidate.BusySinceTicks <= process.StartTicks)];
                owner = candidates.Length == 1 ? candidates[0] : null;
            }

            owners[process.Pid] = owner;
            if (owner == run)
            {
                members.Add(process);
            }
        }

        return members;
    }

    private static GuardRun? OwnerByMark(ProcessEntry process, IReadOnlyCollection<GuardRun> standing, Func<int, string?> runOf)
    {
        GuardRun? byGroup = standing.FirstOrDefault(run => run.Pid == process.Group && run.StartTicks <= process.StartTicks);
        if (byGroup is not null)
        {
            return byGroup;
        }

        string? name = runOf(process.Pid);
        return name is null ? null : standing.FirstOrDefault(run => run.Name == name || run.StartName == name);
    }
}
