namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// For how long nothing was heard of the node, by the time in which the guard itself ran: a machine or a guard that stands still
/// (suspended, stopped, moved to another host) hears nothing, and that says nothing about the node.
/// </summary>
internal sealed class SilenceCount
{
    /// <summary>A look that comes later than this after the one before was not just late.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(1);

    private TimeSpan _silence;

    /// <summary>Takes a look.</summary>
    /// <param name="sinceLook">Since the look before.</param>
    /// <param name="sinceHeard">Since the node was heard last.</param>
    /// <returns>The silence up to now.</returns>
    public TimeSpan Look(TimeSpan sinceLook, TimeSpan sinceHeard)
    {
        TimeSpan step = sinceLook < LongestStep ? sinceLook : LongestStep;
        _silence = sinceHeard < _silence + step ? sinceHeard : _silence + step;
        return _silence;
    }
}
