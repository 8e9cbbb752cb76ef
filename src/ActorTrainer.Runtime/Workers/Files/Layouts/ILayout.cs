namespace ActorTrainer.Runtime.Workers.Files.Layouts;

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

/// <summary>A way in which a framework lays out a checkpoint that shows by itself when it is complete.</summary>
internal interface ILayout
{
    /// <summary>As its users call it.</summary>
    string Name { get; }

    /// <summary>Whether files that come after its evidence are no part of what it needs.</summary>
    bool MayGoOn => false;

    /// <summary>Looks at the checkpoint that a file, or a folder that was renamed in, belongs to.</summary>
    /// <param name="path">What was completed last.</param>
    /// <param name="files">What stands.</param>
    /// <returns>Null: it is none of this layout.</returns>
    LayoutAnswer? Of(string path, LayoutFiles files);
}
