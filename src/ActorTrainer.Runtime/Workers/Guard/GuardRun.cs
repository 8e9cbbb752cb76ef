namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>One worker with all that came of it.</summary>
internal sealed class GuardRun(string name, int pid, long startTicks, OutputPump pump)
{
    /// <summary>Also the value of <c>ACTORTRAINER_RUN</c> in the environment of the run's processes.</summary>
    public string Name { get; } = name;

    /// <summary>The run's own process, and the number of its group.</summary>
    public int Pid { get; } = pid;

    public long StartTicks { get; } = startTicks;

    public OutputPump Pump { get; } = pump;

    /// <summary>Whether the run's own process was collected; its id may belong to a stranger from then on.</summary>
    public volatile bool Collected;

    /// <summary>Whether anything of the run was killed.</summary>
    public volatile bool Forced;

    /// <summary>Cancelled when nothing of the run is left.</summary>
    public CancellationTokenSource Gone { get; } = new();
}
