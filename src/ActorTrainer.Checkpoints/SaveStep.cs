namespace ActorTrainer.Checkpoints;

/// <summary>The points of a save between which a crash makes a difference, in their order.</summary>
internal enum SaveStep
{
    /// <summary>Called before each batch of chunks is written.</summary>
    WritingChunks,
    ChunksWritten,
    PackSynced,
    PackFolderSynced,
    ManifestWritten,
    ManifestRenamed,
    ManifestFolderSynced,
}
