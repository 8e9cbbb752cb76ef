using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

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
