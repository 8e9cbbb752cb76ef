namespace ActorTrainer.Runtime.Workers.Environments;

/// <summary>An environment that is complete.</summary>
/// <param name="Hash">What it is known by.</param>
/// <param name="Bytes">Its size when it was made.</param>
/// <param name="LastUsed">When a run began or ended with it.</param>
/// <param name="InUse">Whether a run has it now.</param>
internal readonly record struct KeptEnvironment(string Hash, long Bytes, DateTimeOffset LastUsed, bool InUse);

/// <summary>How long, and up to which size together, environments that nothing uses are kept.</summary>
internal readonly record struct EnvironmentBounds(TimeSpan Keep, long MaxBytes)
{
    /// <summary>Those that have to go: unused for too long, and of the rest the ones that were used longest ago.</summary>
    public IReadOnlyList<string> Surplus(IReadOnlyList<KeptEnvironment> kept, DateTimeOffset now)
    {
        long bytes = kept.Sum(environment => environment.Bytes);
        List<string> surplus = [];
        foreach (KeptEnvironment environment in kept.Where(environment => !environment.InUse).OrderBy(environment => environment.LastUsed))
        {
            if (now - environment.LastUsed > Keep || bytes > MaxBytes)
            {
                surplus.Add(environment.Hash);
                bytes -= environment.Bytes;
            }
        }

        return surplus;
    }
}
