namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>How far a checkpoint of a known layout is.</summary>
internal enum LayoutProgress
{
    /// <summary>Something of it is missing.</summary>
    Open,

    /// <summary>Whether something of it is missing cannot be told.</summary>
    Unclear,

    /// <summary>All of it was completed in the open save.</summary>
    Whole,

    /// <summary>Files stand beside it that may belong to the same save: its own evidence is not enough.</summary>
    NotAlone,
}

/// <summary>What a layout says of the checkpoint that a completed file belongs to.</summary>
/// <param name="Folder">The checkpoint: a folder, or a file where one file is all; empty: the watched folder itself.</param>
/// <param name="Progress">How far it is.</param>
/// <param name="Waits">What it waits for, as the end of a sentence; empty when it is whole.</param>
internal readonly record struct LayoutAnswer(string Folder, LayoutProgress Progress, string Waits = "");

/// <summary>What is known of checkpoints that show by themselves when they are complete.</summary>
internal interface ISaveEvidence
{
    /// <summary>What the checkpoint that was written last waits for, as a sentence; null: nothing is known to be open.</summary>
    string? Waits { get; }

    /// <summary>Whether a path that is completed now begins the save behind the checkpoint that was whole last.</summary>
    bool BeginsNext(string path);

    /// <summary>A file was completed, or a folder renamed in.</summary>
    /// <param name="path">Which.</param>
    /// <param name="paths">The files.</param>
    /// <param name="standing">All that stands now.</param>
    /// <param name="waiting">Whether the checkpoint that was whole last still waits to be taken.</param>
    /// <returns>What is known of the checkpoint that it belongs to; null: nothing that can be relied on.</returns>
    LayoutAnswer? Completed(string path, IReadOnlyList<string> paths, IReadOnlyCollection<string> standing, bool waiting);

    /// <summary>What was completed until now is no part of the open save.</summary>
    /// <param name="butTheLast">Except for what was completed last.</param>
    void Begin(bool butTheLast);

    /// <summary>The open save came to nothing, or may have: another one may be written into the same folder.</summary>
    void BeginAgain();
}
