namespace ActorTrainer.Bench.Soak;

/// <summary>What can happen to a cluster.</summary>
internal enum FaultKind
{
    /// <summary>A node's process is killed (SIGKILL) and started again later.</summary>
    KillNode,

    /// <summary>A node's process stands still (SIGSTOP) and goes on later.</summary>
    StopNode,

    /// <summary>A node is drained by command, ends, and is started again.</summary>
    Drain,

    /// <summary>A worker is killed.</summary>
    KillWorker,

    /// <summary>A node's guard is killed.</summary>
    KillGuard,

    /// <summary>The journal's database cannot be used for a time.</summary>
    DatabaseAway,

    /// <summary>Two nodes are killed at once.</summary>
    KillTwo,

    /// <summary>All nodes are killed at once.</summary>
    KillAll,
}

/// <summary>A fault.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Length">How long it lasts, or until a killed node is started again.</param>
/// <param name="Pause">How long nothing new happens after its beginning.</param>
/// <param name="Choice">Which of the nodes, workers or kinds of absence, modulo how many there are.</param>
internal sealed record Fault(FaultKind Kind, TimeSpan Length, TimeSpan Pause, int Choice);

/// <summary>The faults of a seed, one after the other, without end.</summary>
internal sealed class FaultPlan(int seed)
{
    private const int Longest = 30;

    /// <summary>How often each kind comes, of the sum of all.</summary>
    private static readonly (FaultKind Kind, int Weight)[] Weights =
    [
        (FaultKind.KillNode, 5),
        (FaultKind.StopNode, 5),
        (FaultKind.Drain, 3),
        (FaultKind.KillWorker, 3),
        (FaultKind.KillGuard, 2),
        (FaultKind.DatabaseAway, 3),
        (FaultKind.KillTwo, 2),
        (FaultKind.KillAll, 1),
    ];

    private readonly Random _random = new(seed);

    /// <summary>The next fault; 5 to 15 s lie between two.</summary>
    public Fault Next()
    {
        int place = _random.Next(Weights.Sum(kind => kind.Weight));
        FaultKind chosen = Weights.First(kind => (place -= kind.Weight) < 0).Kind;
        int most = chosen switch
        {
            FaultKind.DatabaseAway => Longest,
            FaultKind.StopNode => 8,
            _ => 5,
        };
        return new Fault(
            chosen,
            TimeSpan.FromMilliseconds(_random.Next(500, most * 1000)),
            TimeSpan.FromMilliseconds(_random.Next(5_000, 15_001)),
            _random.Next(1 << 20)
        );
    }
}
