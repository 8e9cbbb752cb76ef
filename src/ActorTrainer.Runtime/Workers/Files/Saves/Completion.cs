namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>What lies between a completed path and the one before it.</summary>
internal enum SaveBreak
{
    None,

    /// <summary>A process of the run has ended, or a file of the save was removed: the save may have been begun again.</summary>
    Disturbed,

    /// <summary>What stood before was whole: a save begins here.</summary>
    Boundary,

    /// <summary>What the script had begun is void: a process of the run was killed, or a file of the save was removed.</summary>
    Void,
}

/// <summary>A path below the checkpoint folder that was written to its end, in place or by a rename.</summary>
/// <param name="Path">Relative, with <c>/</c> between its segments. A folder that was renamed in is one path.</param>
/// <param name="Milliseconds">When, on any clock that does not go back.</param>
/// <param name="Before">What lies between it and the one before.</param>
internal readonly record struct Completion(string Path, long Milliseconds, SaveBreak Before);
