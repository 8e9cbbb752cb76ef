using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>How processes of a run have ended since files were taken in last, and what that says of those that were closed.</summary>
internal sealed class ProcessEnds(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan CollectedWithin = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan CollectedEvery = TimeSpan.FromMilliseconds(10);

    private readonly HashSet<ProcessOutcome> _ends = [];

    /// <summary>Tells how they end; null: nobody does.</summary>
    public IRunWitness? Witness { get; set; }

    /// <summary>Whether one was ended by a signal.</summary>
    public bool Killed => _ends.Contains(ProcessOutcome.Killed);

    /// <summary>Whether one exited with another code than 0.</summary>
    public bool Failed => _ends.Contains(ProcessOutcome.Failed);

    /// <summary>What that means for the save that is open.</summary>
    public SaveBreak Break =>
        Killed ? SaveBreak.Void
        : Failed || _ends.Contains(ProcessOutcome.Unclear) ? SaveBreak.Disturbed
        : SaveBreak.None;

    /// <summary>
    /// Notes how processes have ended. True: one is ending, and how is not known yet: what was closed may have been closed by that.
    /// </summary>
    public bool AnyIsEnding()
    {
        IReadOnlyList<ProcessOutcome> ends = Witness?.Ends() ?? [];
        _ends.UnionWith(ends.Where(end => end != ProcessOutcome.Pending));
        return ends.Contains(ProcessOutcome.Pending);
    }

    /// <summary>Begins anew.</summary>
    public void Clear() => _ends.Clear();

    /// <summary>All processes are gone. How they ended is told once they are collected, which the last one may not be yet.</summary>
    public async Task SettleAsync()
    {
        long from = time.GetTimestamp();
        while (AnyIsEnding() && time.GetElapsedTime(from) < CollectedWithin)
        {
            await Task.Delay(CollectedEvery, time);
        }
    }

    public void Dispose() => Witness?.Dispose();
}
