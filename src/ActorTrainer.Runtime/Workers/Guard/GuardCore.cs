namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>What the guard does with messages, ends of processes and silence.</summary>
internal sealed partial class GuardCore(Action<GuardMessage> send, TimeProvider time, TimeSpan selfFenceAfter)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, GuardRun> _runs = [];
    private readonly AutoResetEvent _started = new(false);
    private readonly ManualResetEventSlim _never = new(false);
    private long _lastHeard = time.GetTimestamp();
    private volatile bool _fencing;
    private bool _ending;

    /// <summary>Starts collecting ends of processes and watching for silence.</summary>
    public void Begin()
    {
        new Thread(CollectLoop, maxStackSize: 256 << 10) { IsBackground = true, Name = "collect" }.Start();
        new Thread(SilenceLoop, maxStackSize: 256 << 10) { IsBackground = true, Name = "silence" }.Start();
    }

    public void Handle(GuardMessage message)
    {
        Volatile.Write(ref _lastHeard, time.GetTimestamp());
        switch (message)
        {
            case GuardHeartbeat heartbeat:
                send(new GuardHeartbeatEcho(heartbeat.Number));
                break;
            case GuardStart start:
                Start(start);
                break;
            case GuardAssign assign:
                Assign(assign);
                break;
            case GuardStop stop when Find(stop.Run) is { } run:
                _ = StopAsync(run, stop);
                break;
            case GuardNice nice when Find(nice.Run) is { Collected: false } run:
                Posix.AddNice(run.Pid, nice.Nice);
                break;
        }
    }

    /// <summary>Kills every descendant, returns when none is left (or after a few seconds, when one can not be killed).</summary>
    public void EndEverything()
    {
        lock (_lock)
        {
            _ending = true;
        }

        long from = time.GetTimestamp();
        while (time.GetElapsedTime(from) < TimeSpan.FromSeconds(5) && KillDescendants())
        {
            _never.Wait(10);
        }
    }

    private bool KillDescendants()
    {
        if (!OperatingSystem.IsLinux())
        {
            GuardRun[] runs = Standing();
            int killed = runs.Count(run => Posix.Kill(-run.Pid, Posix.SignalKill) == 0);
            return killed > 0;
        }

        List<ProcessEntry> descendants = ProcessTable.DescendantsOf(Environment.ProcessId, ProcessTable.Read());
        foreach (ProcessEntry process in descendants)
        {
            _ = Posix.Kill(process.Pid, Posix.SignalKill);
        }

        return descendants.Count > 0;
    }

    private void Start(GuardStart start)
    {
        try
        {
            StartProcess(start);
        }
        catch (IOException e)
        {
            send(new GuardStartFailed(start.Run, $"'{start.Executable}' could not be started: {e.Message}."));
        }
    }

    private void StartProcess(GuardStart start)
    {
        (int read, int write) = Posix.CreatePipe();
        int error;
        int pid = 0;
        lock (_lock)
        {
            if (_ending || _runs.ContainsKey(start.Run))
            {
                error = -1;
            }
            else
            {
                // Started and entered under one lock, so that an end that comes at once finds its run.
                error = ProcessSpawner.Spawn(start, write, out pid);
            }

            _ = Posix.Close(write);
            if (error == 0)
            {
                GuardRun run = new(start.Run, pid, ProcessTable.ReadOne(pid)?.StartTicks ?? 0, read)
                {
                    WaitForChildren = start.WaitForChildren,
                };
                if (start.LogDirectory is { } logDirectory)
                {
                    run.BeginOutput(logDirectory, start.LogMaxBytes, run.StartTicks, start.GoesOn);
                }

                _runs.Add(start.Run, run);
                send(new GuardStarted(start.Run, pid));
                if (start.StallMs is { } stall)
                {
                    _ = WatchAsync(run, TimeSpan.FromMilliseconds(stall));
                }
            }
        }

        if (error != 0)
        {
            _ = Posix.Close(read);
            send(new GuardStartFailed(start.Run, DescribeStart(start, error)));
            return;
        }

        OfferToOutOfMemoryKiller(pid);
        _started.Set();
    }

    private void Assign(GuardAssign assign)
    {
        lock (_lock)
        {
            if (
                !_ending
                && !_runs.ContainsKey(assign.Run)
                && _runs.GetValueOrDefault(assign.Spare) is { Collected: false, Pump: null } spare
            )
            {
                _ = _runs.Remove(assign.Spare);
                spare.Assign(assign, ProcessTable.NowTicks());
                _runs.Add(assign.Run, spare);
                send(new GuardStarted(assign.Run, spare.Pid));
                return;
            }
        }

        send(new GuardSpareGone(assign.Run));
    }

    private static string DescribeStart(GuardStart start, int error) =>
        error switch
        {
            -1 => $"The run {start.Run} stands already.",
            Posix.ErrorNotExecutable =>
                $"'{start.Executable}' is not a program of this machine and has no #! line: add one, or name its interpreter first.",
            Posix.ErrorTooBig => $"The arguments and the environment of '{start.Executable}' are too long for this machine.",
            Posix.ErrorNoEntry =>
                $"'{start.Executable}', the interpreter that it names, or the folder '{start.WorkingDirectory}' does not exist.",
            Posix.ErrorAccess => $"'{start.Executable}' may not be executed, or the folder '{start.WorkingDirectory}' may not be entered.",
            _ => $"'{start.Executable}' could not be started: {Posix.Describe(error)}.",
        };

    /// <summary>When memory runs out, a worker goes before its node does.</summary>
    private static void OfferToOutOfMemoryKiller(int pid)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                File.WriteAllText($"/proc/{pid}/oom_score_adj", "500");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone already, or a system without it.
        }
    }

    private async Task StopAsync(GuardRun run, GuardStop stop)
    {
        long killAt = time.GetTimestamp() + (stop.KillAfterMs * time.TimestampFrequency / 1000);
        Interlocked.Exchange(ref run.KillAt, killAt);
        try
        {
            if (stop.TermAfterMs < stop.KillAfterMs)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(stop.TermAfterMs), time, run.Gone.Token);
                run.Told = Signal(run, Posix.SignalTerminate);
                // A process that was stopped (SIGSTOP) gets a chance to end in order, too.
                _ = Signal(run, Posix.SignalContinue);
            }

            await Task.Delay(
                TimeSpan.FromMilliseconds(stop.KillAfterMs - Math.Min(stop.TermAfterMs, stop.KillAfterMs)),
                time,
                run.Gone.Token
            );
            await KillAllOfAsync(run);
        }
        catch (OperationCanceledException)
        {
            // It ended before it had to be forced.
        }
    }

    /// <summary>False: its own process is collected, and its group's number may be another's.</summary>
    private bool Signal(GuardRun run, int signal)
    {
        lock (_lock)
        {
            return !run.Collected && Posix.Kill(-run.Pid, signal) == 0;
        }
    }

    private void CollectLoop()
    {
        while (true)
        {
            int pid = Posix.WaitPid(-1, out int status, 0);
            if (pid > 0)
            {
                Collected(pid, status);
            }
            else if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == Posix.ErrorNoChild)
            {
                // No child now; orphans come only from children, so the next start ends the wait.
                _ = _started.WaitOne();
            }
        }
    }

    private void Collected(int pid, int status)
    {
        GuardRun? run;
        lock (_lock)
        {
            run = _runs.Values.FirstOrDefault(candidate => candidate.Pid == pid && !candidate.Collected);
            if (run is not null)
            {
                run.Collected = true;
            }
            else if (status != 0 && _runs.Values.FirstOrDefault(waits => waits.Awaited.Contains(pid)) is { AwaitedStatus: 0 } waiting)
            {
                waiting.AwaitedStatus = status;
            }
        }

        // What the guard ends for its node's silence did not fail by itself: the node learns from the guard's own end.
        if (run is not null && !_fencing)
        {
            _ = FinishAsync(run, status);
        }
    }

    private void SilenceLoop()
    {
        SilenceCount silence = new();
        long looked = time.GetTimestamp();
        TimeSpan silent;
        do
        {
            _never.Wait(250);
            long now = time.GetTimestamp();
            silent = silence.Look(time.GetElapsedTime(looked, now), time.GetElapsedTime(Volatile.Read(ref _lastHeard), now));
            looked = now;
        } while (silent < selfFenceAfter);

        Console.Error.WriteLine($"The node was not heard for {selfFenceAfter.TotalSeconds:0.#} s: its workers are ended.");
        _fencing = true;
        EndEverything();
        Posix.ExitNow(3);
    }

    private GuardRun? Find(string run)
    {
        lock (_lock)
        {
            return _runs.GetValueOrDefault(run);
        }
    }

    private GuardRun[] Standing()
    {
        lock (_lock)
        {
            return [.. _runs.Values];
        }
    }
}
