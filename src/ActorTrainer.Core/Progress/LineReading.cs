namespace ActorTrainer.Core.Progress;

/// <summary>What one line of output says of the progress of its script.</summary>
internal sealed record LineReading
{
    /// <summary>The step it is at.</summary>
    public long? Step { get; init; }

    /// <summary>The steps that <see cref="Step"/> counts towards.</summary>
    public long? Total { get; init; }

    /// <summary>Whether the steps are those of one epoch, as the line itself says.</summary>
    public bool Part { get; init; }

    public double? Epoch { get; init; }

    public double? TotalEpochs { get; init; }

    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Which of the processes that print into one output has said it; null: it does not tell.</summary>
    public int? Rank { get; init; }

    /// <summary>What counts the steps: steps of two sources are not compared.</summary>
    public string Source { get; init; } = "";

    /// <summary>How far a source is trusted beside others.</summary>
    public Trust Trust { get; init; }

    /// <summary>Nothing but a counter, or one without a name: it may count anything until it has been seen to grow.</summary>
    public bool Weak { get; init; }

    /// <summary>Whether it is a record, such as JSON.</summary>
    public bool IsRecord { get; init; }

    /// <summary>Whether it says anything at all.</summary>
    public bool IsEmpty => Step is null && Epoch is null && Metrics.Count == 0;
}

/// <summary>How far a source of steps is trusted; a higher one replaces a lower one for good.</summary>
internal enum Trust
{
    /// <summary>Two numbers with a slash between and no name: they may count anything.</summary>
    Counter,

    /// <summary>A bar that does not say what it counts.</summary>
    Bar,

    /// <summary>A bar that says it.</summary>
    NamedBar,

    /// <summary>A line in words, or a record.</summary>
    Line,

    /// <summary>The user's own pattern.</summary>
    Pattern,
}
