namespace ActorTrainer.Checkpoints.Tests.Faults;

internal enum DiskAction
{
    Create,
    Append,
    Sync,
    Rename,
    Link,
    Unlink,
    MakeFolder,
    SyncFolder,
}

/// <summary>One change of a store's files. Paths are relative to the folder that everything stands below.</summary>
internal sealed record DiskStep(DiskAction Action, string Path, string? To = null, byte[]? Bytes = null)
{
    /// <summary>As in <c>rename store/a-b/manifests/c-1-1-x.json.tmp</c>.</summary>
    public override string ToString() => $"{char.ToLowerInvariant(Action.ToString()[0])}{Action.ToString()[1..]} {Path}";
}
