namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>How a process of a run came to its end.</summary>
internal enum ProcessOutcome
{
    /// <summary>It has begun to end: not known yet.</summary>
    Pending,

    /// <summary>It exited with 0.</summary>
    Done,

    /// <summary>It exited with another code.</summary>
    Failed,

    /// <summary>This system does not tell.</summary>
    Unclear,

    /// <summary>It was ended by a signal.</summary>
    Killed,
}

/// <summary>Watches the processes of a run.</summary>
internal interface IRunWitness : IDisposable
{
    /// <summary>The processes that ended, or began to, since this was asked before; each is told until its outcome is known.</summary>
    IReadOnlyList<ProcessOutcome> Ends();

    /// <summary>How a process that lives now ends says nothing of files: it writes none.</summary>
    void Overlook(int pid);

    /// <summary>How many processes train together, as the environment of one of them says (<c>WORLD_SIZE</c>); null: it does not.</summary>
    int? Ranks();

    /// <summary>The run's own process has ended, and the run goes on for what it left behind.</summary>
    void OnLeaderEnded(ProcessOutcome outcome, IEnumerable<int> leftBehind);
}
