namespace ActorTrainer.Bench.Torn;

/// <summary>How a script writes one part of a save.</summary>
internal enum Way
{
    /// <summary>Opened, written in two halves, closed.</summary>
    InPlace,

    /// <summary>Written under a temporary name and renamed.</summary>
    Renamed,

    /// <summary>A folder that is written under a temporary name and renamed; the path is that of its only file.</summary>
    Folder,

    /// <summary>Removed first, then written in place.</summary>
    RemovedFirst,

    /// <summary>The present file is renamed to PATH.prev, a new one is renamed in.</summary>
    Rotated,

    /// <summary>Written under a temporary name, which is then given the other name too and removed.</summary>
    Linked,
}

/// <summary>One part of a save.</summary>
/// <param name="Path">Below the checkpoint folder.</param>
/// <param name="Way">How it is written.</param>
/// <param name="Text">What is in it: a text whose last number is that of the save; null: nothing that matters.</param>
internal readonly record struct SaveStep(string Path, Way Way = Way.InPlace, string? Text = null);
