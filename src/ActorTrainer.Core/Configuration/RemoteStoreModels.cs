namespace ActorTrainer.Core.Configuration;

/// <summary>Which kind of store keeps the checkpoints.</summary>
public enum CheckpointStoreKind
{
    /// <summary>A folder: a local disk, or a mount that every node reads.</summary>
    Folder,

    /// <summary>A bucket of S3 or of any service that speaks its protocol.</summary>
    S3,

    /// <summary>A folder, and behind it a bucket or another folder to which everything is copied.</summary>
    Tiered,
}

/// <summary><c>actortrainer.checkpoints.s3</c>.</summary>
public sealed record S3StoreModel
{
    /// <summary><c>bucket</c>; null: none, which only a store that is no bucket may have.</summary>
    public string? Bucket { get; init; }

    /// <summary><c>prefix</c>: what the keys of all objects begin with, without a slash at its ends. Default: nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary><c>endpoint</c>: the URL of a service other than AWS; null: AWS.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary><c>region</c>; null: what the environment says, else <c>us-east-1</c>.</summary>
    public string? Region { get; init; }

    /// <summary><c>path-style</c>: whether the bucket stands in the path and not in the host. Default true with an endpoint.</summary>
    public bool PathStyle { get; init; }

    /// <summary><c>credentials-file</c>: a file as AWS's tools write it, absolute; null: where AWS's tools look.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary><c>profile</c>: the section of that file. Default <c>default</c>.</summary>
    public string Profile { get; init; } = "default";

    /// <summary><c>part-size</c> in bytes: packs are uploaded in parts of it, of which up to five are in memory. Default 8 MiB.</summary>
    public int PartSizeBytes { get; init; } = 8 << 20;

    /// <summary><c>request-timeout</c>: after this one request counts as lost and is made again. Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>retry-for</c>: how long one request is made again before the store counts as away. Default 1 min.</summary>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary><c>actortrainer.checkpoints.tiered</c>.</summary>
public sealed record TieredStoreModel
{
    /// <summary><c>remote</c>: what stands behind the folder; never <see cref="CheckpointStoreKind.Tiered"/>. Default S3.</summary>
    public CheckpointStoreKind Remote { get; init; } = CheckpointStoreKind.S3;

    /// <summary><c>remote-path</c>: the other folder, absolute; null unless it is a folder.</summary>
    public string? RemotePath { get; init; }

    /// <summary>
    /// <c>sync-interval</c>: how often what was saved is copied; null (<c>on-commit</c>, default): at once, without the save waiting for
    /// it.
    /// </summary>
    public TimeSpan? SyncInterval { get; init; }
}
