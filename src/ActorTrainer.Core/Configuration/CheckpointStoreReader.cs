namespace ActorTrainer.Core.Configuration;

/// <summary>Reads <c>actortrainer.checkpoints</c>.</summary>
internal static class CheckpointStoreReader
{
    private const int MostCopies = 16;
    private const int MostKeyCharacters = 512;
    private const int SmallestPart = 5 << 20;
    private const int LargestPart = 1 << 30;

    public static CheckpointStoreModel Read(ConfigSection section, NodeSurroundings surroundings)
    {
        CheckpointStoreModel defaults = new();
        int copies = section.Int("copies", defaults.Copies, 1, MostCopies);
        return new CheckpointStoreModel
        {
            Copies = copies,
            CopiesWait = section.Duration("copies-wait", defaults.CopiesWait, TimeSpan.Zero, TimeSpan.FromDays(1)),
            Durability = section.Choice(
                "durability",
                copies > 1 ? CheckpointDurability.Copies : CheckpointDurability.Local,
                ("local", CheckpointDurability.Local),
                ("copies", CheckpointDurability.Copies),
                ("store", CheckpointDurability.Store)
            ),
            Store = section.Choice(
                "store",
                defaults.Store,
                ("folder", CheckpointStoreKind.Folder),
                ("s3", CheckpointStoreKind.S3),
                ("tiered", CheckpointStoreKind.Tiered)
            ),
            Path = NodeModelReader.ReadPath(section, "path", $"{NodeModelReader.DefaultFolder}/checkpoints", surroundings),
            Scope = section.Choice("scope", defaults.Scope, ("cluster", "cluster"), ("node", "node")),
            Compression = section.Choice(
                "compression",
                defaults.Compression,
                ("off", CheckpointCompression.Off),
                ("auto", CheckpointCompression.Auto),
                ("max", CheckpointCompression.Max),
                // As it was written up to 0.2.
                ("false", CheckpointCompression.Off),
                ("true", CheckpointCompression.Auto)
            ),
            ChunkSizeBytes = (int)section.Size("chunk-size", defaults.ChunkSizeBytes, 4 << 10, 64 << 20),
            MemoryBytes = section.OptionalSize("memory", 0, 1L << 50),
            Scrub = ReadScrub(section.Section("scrub")),
            S3 = ReadS3(section.Section("s3"), surroundings),
            Tiered = ReadTiered(section.Section("tiered"), surroundings),
        };
    }

    /// <summary>What a kind of store needs and is not there.</summary>
    public static void CheckTogether(ConfigObject root, CheckpointStoreModel model)
    {
        bool tiered = model.Store == CheckpointStoreKind.Tiered;
        if ((tiered ? model.Tiered.Remote : model.Store) == CheckpointStoreKind.S3 && model.S3.Bucket is null)
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.store"],
                $"checkpoints.store = {(tiered ? "tiered" : "s3")} needs a bucket: set actortrainer.checkpoints.s3.bucket"
            );
        }

        CheckCopies(root, model);
        if (tiered && model.Tiered.Remote == CheckpointStoreKind.Folder && model.Tiered.RemotePath is null)
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.tiered.remote", "actortrainer.checkpoints.store"],
                "checkpoints.tiered.remote = folder needs the folder: set actortrainer.checkpoints.tiered.remote-path"
            );
        }

        if (tiered && model.Tiered.Remote == CheckpointStoreKind.Folder && model.Tiered.RemotePath == model.Path)
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.tiered.remote-path"],
                "checkpoints.tiered.remote-path is the same folder as checkpoints.path: name another one, on another disk"
            );
        }

        if (
            tiered
            && model.Tiered is { Remote: CheckpointStoreKind.Folder, RemotePath: { } remote }
            && (IsWithin(remote, model.Path) || IsWithin(model.Path, remote))
        )
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.tiered.remote-path"],
                "one of checkpoints.tiered.remote-path and checkpoints.path stands inside the other: name another one, on another disk"
            );
        }
    }

    private static bool IsWithin(string path, string folder) => path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static ScrubModel ReadScrub(ConfigSection section)
    {
        ScrubModel defaults = new();
        return new ScrubModel
        {
            Every = section.Duration("every", defaults.Every, TimeSpan.Zero, TimeSpan.FromDays(365)),
            BytesPerSecond = section.Size("speed", defaults.BytesPerSecond, 4 << 10, 1L << 40),
        };
    }

    private static void CheckCopies(ConfigObject root, CheckpointStoreModel model)
    {
        if (model.Copies > 1 && model.Store != CheckpointStoreKind.Folder)
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.copies", "actortrainer.checkpoints.store"],
                "checkpoints.copies is for checkpoints.store = folder: with s3 and tiered the bucket, or what stands behind the folder, "
                    + "has the second copy"
            );
        }

        if (model.Durability == CheckpointDurability.Copies && model.Copies == 1)
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.durability"],
                "checkpoints.durability = copies needs copies: set actortrainer.checkpoints.copies to 2 or more"
            );
        }

        if (model.Durability == CheckpointDurability.Store && model.Store == CheckpointStoreKind.Folder)
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.durability"],
                "checkpoints.durability = store needs a store beside the folder: set actortrainer.checkpoints.store to tiered or s3"
            );
        }

        if (model is { Durability: CheckpointDurability.Store, Store: CheckpointStoreKind.Tiered, Tiered.SyncInterval: not null })
        {
            throw NodeModelReader.Clash(
                root,
                ["actortrainer.checkpoints.durability", "actortrainer.checkpoints.tiered.sync-interval"],
                "checkpoints.durability = store copies every checkpoint at once: "
                    + "set actortrainer.checkpoints.tiered.sync-interval to on-commit"
            );
        }
    }

    private static S3StoreModel ReadS3(ConfigSection section, NodeSurroundings surroundings)
    {
        S3StoreModel defaults = new();
        Uri? endpoint = ReadEndpoint(section);
        return new S3StoreModel
        {
            Bucket = ReadWord(section, "bucket", "a bucket has 3 to 63 lower-case letters, digits, dots and dashes", IsBucket),
            Prefix = (ReadWord(section, "prefix", "use letters, digits and -_.!/ without an empty part", IsPrefix) ?? "").Trim('/'),
            Endpoint = endpoint,
            Region = ReadWord(section, "region", "a region is for example eu-central-1", IsRegion),
            PathStyle = section.Flag("path-style", endpoint is not null),
            CredentialsFile = NodeModelReader.ReadOptionalPath(section, "credentials-file", surroundings),
            Profile = section.Text("profile") ?? defaults.Profile,
            PartSizeBytes = (int)section.Size("part-size", defaults.PartSizeBytes, SmallestPart, LargestPart),
            RequestTimeout = section.Duration(
                "request-timeout",
                defaults.RequestTimeout,
                TimeSpan.FromMilliseconds(100),
                TimeSpan.FromHours(1)
            ),
            RetryFor = section.Duration("retry-for", defaults.RetryFor, TimeSpan.Zero, TimeSpan.FromHours(1)),
        };
    }

    private static TieredStoreModel ReadTiered(ConfigSection section, NodeSurroundings surroundings)
    {
        const string key = "sync-interval";
        bool onCommit = section.Text(key)?.Replace('_', '-') is null or "on-commit";
        return new TieredStoreModel
        {
            Remote = section.Choice(
                "remote",
                new TieredStoreModel().Remote,
                ("s3", CheckpointStoreKind.S3),
                ("folder", CheckpointStoreKind.Folder)
            ),
            RemotePath = NodeModelReader.ReadOptionalPath(section, "remote-path", surroundings),
            SyncInterval = onCommit ? null : section.OptionalDuration(key, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
        };
    }

    private static Uri? ReadEndpoint(ConfigSection section)
    {
        const string key = "endpoint";
        return section.Scalar(key) is not { } scalar ? null
            : Uri.TryCreate(scalar.Text, UriKind.Absolute, out Uri? uri)
            && uri.Scheme is "http" or "https"
            && uri is { UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 }
                ? uri
            : throw section.Wrong(scalar, key, "write a URL such as https://minio.example:9000, or null for AWS", scalar.Text);
    }

    private static string? ReadWord(ConfigSection section, string key, string rule, Func<string, bool> isRight) =>
        section.Scalar(key) is not { Text: { } text } scalar ? null
        : isRight(text) ? text
        : throw section.Wrong(scalar, key, rule, text);

    private static bool IsBucket(string text) =>
        text.Length is >= 3 and <= 63 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');

    private static bool IsPrefix(string text) =>
        text.Trim('/') is { Length: <= MostKeyCharacters } inner
        && (
            inner.Length == 0
            || inner
                .Split('/')
                .All(part =>
                    part.Length > 0
                    && part is not ("." or "..")
                    && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '!')
                )
        );

    private static bool IsRegion(string text) =>
        text.Length is >= 1 and <= 63 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
