namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>One worker with all that came of it; also a spare, which is a worker that has no run yet.</summary>
internal sealed class GuardRun(string name, int pid, long startTicks, int outputPipe)
{
    /// <summary>The run as the node calls it; of a spare its own name.</summary>
    public string Name { get; private set; } = name;

    /// <summary>
    /// The value of <c>ACTORTRAINER_RUN</c> that its process was started with: of a run that took a spare, the spare's name.
    /// </summary>
    public string StartName { get; } = name;

    /// <summary>The run's own process, and the number of its group.</summary>
    public int Pid { get; } = pid;

    public long StartTicks { get; } = startTicks;

    /// <summary>From when on, in clock ticks since boot, it may have started processes: never as long as it is a spare.</summary>
    public long BusySinceTicks { get; private set; } = long.MaxValue;

    /// <summary>What carries its output; null as long as it is a spare.</summary>
    public OutputPump? Pump { get; private set; }

    /// <summary>Whether the run's own process was collected; its id may belong to a stranger from then on.</summary>
    public volatile bool Collected;

    /// <summary>Whether anything of the run was killed.</summary>
    public volatile bool Forced;

    /// <summary>Whether its group was told to end by SIGTERM.</summary>
    public volatile bool Told;

    /// <summary>Whether it lasts until all that its own process left behind has ended.</summary>
    public bool WaitForChildren { get; init; }

    /// <summary>What its own process left behind and is waited for; changed and read under the guard's lock.</summary>
    public HashSet<int> Awaited { get; } = [];

    /// <summary>How the first of <see cref="Awaited"/> ended that failed, as wait tells it; 0: none did.</summary>
    public int AwaitedStatus { get; set; }

    /// <summary>By when, as a time stamp, it has to have ended, once it was asked to; 0: it was not.</summary>
    public long KillAt;

    /// <summary>Cancelled when nothing of the run is left.</summary>
    public CancellationTokenSource Gone { get; } = new();

    /// <summary>Carries its output into files from now on.</summary>
    public void BeginOutput(string logDirectory, long logMaxBytes, long sinceTicks, bool goesOn = false)
    {
        Pump = new OutputPump(outputPipe, new OutputLog(logDirectory, logMaxBytes, goesOn));
        BusySinceTicks = sinceTicks;
    }

    /// <summary>
    /// Makes a spare the process of a run. It waits for its node, so that all of its output up to now stands in the pipe: that is dropped.
    /// </summary>
    public void Assign(GuardAssign assign, long nowTicks)
    {
        Name = assign.Run;
        Posix.DropWhatIsIn(outputPipe);
        BeginOutput(assign.LogDirectory, assign.LogMaxBytes, nowTicks);
    }

    /// <summary>The pump that ends with the output; of a spare that ended the one that collects its last words.</summary>
    public OutputPump LastOutput() => Pump ??= new OutputPump(outputPipe, log: null);
}
