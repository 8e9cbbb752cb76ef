namespace ActorTrainer.Bench.Soak;

/// <summary>
/// How long tasks had two live workers at once, by looks at the processes: from the first look in a row that saw two until the last one.
/// </summary>
internal sealed class OverlapLog
{
    private readonly Dictionary<string, long> _since = [];

    /// <summary>The longest, in milliseconds.</summary>
    public long Longest { get; private set; }

    /// <summary>The task that had it; empty when there was none.</summary>
    public string LongestTask { get; private set; } = "";

    /// <summary>How many there were.</summary>
    public int Count { get; private set; }

    /// <summary>Writes down one look.</summary>
    /// <param name="now">When it was, in milliseconds.</param>
    /// <param name="workers">The task of each live worker.</param>
    public void Look(long now, IEnumerable<string> workers)
    {
        HashSet<string> twice = [.. workers.GroupBy(task => task).Where(group => group.Count() > 1).Select(group => group.Key)];
        foreach (string task in _since.Keys.Except(twice).ToArray())
        {
            _since.Remove(task);
        }

        foreach (string task in twice)
        {
            if (_since.TryAdd(task, now))
            {
                Count++;
            }

            if (now - _since[task] > Longest)
            {
                (Longest, LongestTask) = (now - _since[task], task);
            }
        }
    }
}
