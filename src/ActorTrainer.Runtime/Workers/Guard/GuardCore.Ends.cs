namespace ActorTrainer.Runtime.Workers.Guard;

/// <content>The end of a run, with all that its own process left behind.</content>
internal sealed partial class GuardCore
{
    /// <summary>
    /// How long what is left of a run whose own process ended may take to end by itself: the other side of a pipe, say. A run that was
    /// asked to end has the rest of its grace: a shell ends at once, and the script below it saves.
    /// </summary>
    private static readonly TimeSpan LeftoverGrace = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan ChildrenEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan OutputDrain = TimeSpan.FromSeconds(2);

    private async Task FinishAsync(GuardRun run, int status)
    {
        await AwaitChildrenAsync(run, status);
        long from = time.GetTimestamp();
        bool left = MembersOf(run).Count > 0;
        bool stopping = IsInGrace(run);
        if (left && stopping)
        {
            TellTheRest(run);
        }

        while (left && (time.GetElapsedTime(from) < LeftoverGrace || (stopping && IsInGrace(run))))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time);
            left = MembersOf(run).Count > 0;
        }

        List<string> atWork = status == 0 && !IsAsked(run) ? [.. EntriesOf(run).Select(Describe)] : [];
        await KillAllOfAsync(run);
        // Every writer is gone, so the pipe ends; unless a process that is no descendant holds it.
        OutputPump output = run.LastOutput();
        _ = await Task.WhenAny(output.Ended, Task.Delay(OutputDrain, time));
        lock (_lock)
        {
            _ = _runs.Remove(run.Name);
            status = status == 0 && !IsAsked(run) ? run.AwaitedStatus : status;
        }

        await run.Gone.CancelAsync();
        int signal = status & 0x7f;
        send(
            new GuardExited(
                run.Name,
                signal == 0 ? (status >> 8) & 0xff : null,
                signal == 0 ? null : signal,
                run.Forced,
                output.LastLines()
            )
            {
                Left = atWork.Count > 0 ? atWork : null,
            }
        );
    }

    /// <summary>Until nothing of the run is left, or it is asked to end; what is left then has the rest of the grace.</summary>
    private async Task AwaitChildrenAsync(GuardRun run, int status)
    {
        bool told = false;
        while (run.WaitForChildren && !IsAsked(run) && MembersOf(run) is { Count: > 0 } members)
        {
            lock (_lock)
            {
                run.Awaited.UnionWith(members);
            }

            if (!told)
            {
                send(new GuardAwaits(run.Name, status, members));
                told = true;
            }

            await Task.Delay(ChildrenEvery, time);
        }
    }

    private static string Describe(ProcessEntry process) => $"{process.Pid} {ProcessTable.NameOf(process.Pid)}".TrimEnd();

    private static bool IsAsked(GuardRun run) => Interlocked.Read(ref run.KillAt) != 0;

    private bool IsInGrace(GuardRun run) => time.GetTimestamp() < Interlocked.Read(ref run.KillAt);

    /// <summary>Tells those to end that the signal to the group has not reached. One that it has may be saving: it is told once.</summary>
    private void TellTheRest(GuardRun run)
    {
        foreach (ProcessEntry member in EntriesOf(run).Where(member => !run.Told || member.Group != run.Pid))
        {
            _ = Posix.Kill(member.Pid, Posix.SignalTerminate);
            _ = Posix.Kill(member.Pid, Posix.SignalContinue);
        }
    }

    /// <summary>Kills until nothing is left, since what is killed may have started another one in between.</summary>
    private async Task KillAllOfAsync(GuardRun run)
    {
        long from = time.GetTimestamp();
        for (List<int> members = MembersOf(run); members.Count > 0 && time.GetElapsedTime(from) < GiveUpAfter; members = MembersOf(run))
        {
            run.Forced = true;
            foreach (int pid in members)
            {
                _ = Posix.Kill(pid, Posix.SignalKill);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }
    }

    /// <summary>
    /// Whether a run whose own process was collected has left nothing, which is soon said: what it leaves becomes a child of the guard.
    /// </summary>
    private bool HasLeftNothing(GuardRun run)
    {
        // The kernel may leave one out while another ends: then it is not the same twice.
        if (
            !run.Collected
            || ProcessTable.ChildrenOf(Environment.ProcessId) is not { } children
            || ProcessTable.ChildrenOf(Environment.ProcessId)?.SequenceEqual(children) != true
        )
        {
            return false;
        }

        HashSet<int> others = [.. Standing().Where(other => !other.Collected).Select(other => other.Pid)];
        return children.All(others.Contains);
    }

    private List<int> MembersOf(GuardRun run)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Posix.Kill(-run.Pid, 0) == 0 ? [-run.Pid] : [];
        }

        return [.. EntriesOf(run).Select(member => member.Pid)];
    }

    private List<ProcessEntry> EntriesOf(GuardRun run)
    {
        if (!OperatingSystem.IsLinux() || HasLeftNothing(run))
        {
            return [];
        }

        // In this order: a process that was started after the runs were looked at would belong to none of them, and so to the only one
        // that may have started it.
        Dictionary<int, ProcessEntry> table = ProcessTable.Read();
        GuardRun[] standing = Standing();
        return RunMembers.Find(run, standing, Environment.ProcessId, table, pid => ProcessTable.EnvironmentOf(pid, RunMembers.RunVariable));
    }
}
