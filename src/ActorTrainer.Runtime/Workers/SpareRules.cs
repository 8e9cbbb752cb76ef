using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers;

/// <summary>What a spare can do for a run, and when the next one is started. Pure.</summary>
internal static class SpareRules
{
    /// <summary>How long a start of a run keeps the next spare waiting, unless the run has done its first step before.</summary>
    public static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the first step of a run keeps the next spare waiting: where one run begins others often do, at the moment in which a node
    /// is drained or lost.
    /// </summary>
    public static readonly TimeSpan AfterFirstStep = TimeSpan.FromSeconds(2);

    /// <summary>A spare that has stood for this long did not fail at its start, whatever ended it.</summary>
    public static readonly TimeSpan Proven = TimeSpan.FromMinutes(1);

    private const int MaxDifferenceCharacters = 256 << 10;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Variables that a process reads once, when it starts: to change them in one that runs is of no use. The runtime (garbage collector,
    /// just-in-time compiler, profilers, globalisation), the dynamic linker, and the C library's memory allocator.
    /// </summary>
    private static readonly string[] PrefixesReadAtStart = ["DOTNET_", "COMPlus_", "CORECLR_", "LD_", "DYLD_", "MALLOC_", "LC_", "LTTNG_"];

    /// <summary>
    /// As above: the allocator's and linker's tunables, culture and time zone (both kept from their first use on), and where ICU finds its
    /// data.
    /// </summary>
    private static readonly string[] NamesReadAtStart = ["GLIBC_TUNABLES", "LANG", "LANGUAGE", "TZ", "TZDIR", "ICU_DATA"];

    /// <summary>
    /// The variables in which the environment of a run differs from that of a spare, null for one that goes; null in all when a process
    /// that runs cannot be given them, so that the run needs a start of its own.
    /// </summary>
    public static SortedDictionary<string, string?>? Difference(
        IReadOnlyDictionary<string, string> spare,
        IReadOnlyDictionary<string, string> run
    )
    {
        SortedDictionary<string, string?> difference = new(StringComparer.Ordinal);
        foreach ((string name, string value) in run)
        {
            if (!spare.TryGetValue(name, out string? own) || own != value)
            {
                difference[name] = value;
            }
        }

        foreach (string name in spare.Keys.Where(name => !run.ContainsKey(name)))
        {
            difference[name] = null;
        }

        // A message has an end; and a name with '=' can stand in a block of variables, but not be set.
        return
            difference.Keys.Any(name => IsReadAtStart(name) || name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            || difference.Sum(pair => (long)pair.Key.Length + (pair.Value?.Length ?? 0)) > MaxDifferenceCharacters
            ? null
            : difference;
    }

    /// <summary>The pause before the next start when so many spares in a row failed: 1 s, doubled each time, at most a minute.</summary>
    public static TimeSpan PauseAfter(int failuresInARow) =>
        failuresInARow == 0 ? TimeSpan.Zero : ExponentialBackoff.After(FirstPause, failuresInARow - 1, LongestPause);

    /// <summary>How long a run keeps the next spare waiting; zero or less: not at all.</summary>
    /// <param name="sinceAsked">The time since the run was asked for.</param>
    /// <param name="sinceFirstStep">The time since its first step; null while it has done none.</param>
    public static TimeSpan PauseFor(TimeSpan sinceAsked, TimeSpan? sinceFirstStep) =>
        sinceFirstStep is { } since ? AfterFirstStep - since : SettleLimit - sinceAsked;

    /// <summary>How long to wait before the next spare is started; zero or less: not at all.</summary>
    /// <param name="failuresInARow">Spares that failed, one after the other.</param>
    /// <param name="sinceFailure">The time since the last of them.</param>
    /// <param name="runs">What <see cref="PauseFor"/> says of each run.</param>
    public static TimeSpan PauseBefore(int failuresInARow, TimeSpan sinceFailure, IEnumerable<TimeSpan> runs)
    {
        TimeSpan pause = failuresInARow == 0 ? TimeSpan.Zero : PauseAfter(failuresInARow) - sinceFailure;
        TimeSpan settles = runs.DefaultIfEmpty(TimeSpan.Zero).Max();
        return settles > pause ? settles : pause;
    }

    private static bool IsReadAtStart(string name) =>
        NamesReadAtStart.Contains(name) || PrefixesReadAtStart.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
