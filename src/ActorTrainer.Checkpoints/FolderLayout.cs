using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Where things stand below the store's folder: <c>TASK/packs/NAME.pack</c>, <c>TASK/manifests/NAME.json</c>,
/// <c>bundles/HASH.tar.gz</c>, <c>output/TASK/…</c>, and a marker that tells a store from the empty mount point of one.
/// </summary>
internal sealed class FolderLayout(string root)
{
    public const string MarkerName = "actortrainer-store.json";
    public const string TemporarySuffix = ".tmp";

    public static readonly byte[] MarkerBytes = "{ \"format\": \"actortrainer-store\", \"version\": 1 }\n"u8.ToArray();

    public string Root { get; } = Path.GetFullPath(root);

    public string MarkerPath => Path.Combine(Root, MarkerName);

    /// <summary>No task's id is <c>bundles</c>: they have a dash.</summary>
    public string BundleFolder => Path.Combine(Root, "bundles");

    /// <summary>The archive of a bundle.</summary>
    /// <exception cref="ArgumentException">The text is no hash.</exception>
    public string BundlePath(string hash) =>
        BundleSpec.IsHash(hash)
            ? Path.Combine(BundleFolder, hash + ".tar.gz")
            : throw new ArgumentException($"'{hash}' is not a bundle's hash.", nameof(hash));

    /// <summary>The output of a task's runs. No task's id is <c>output</c> either.</summary>
    public string OutputFolder(TaskId task) => Path.Combine(Root, "output", task.Value);

    public string TaskFolder(TaskId task) => Path.Combine(Root, task.Value);

    public string PackFolder(TaskId task) => Path.Combine(Root, task.Value, "packs");

    public string ManifestFolder(TaskId task) => Path.Combine(Root, task.Value, "manifests");

    /// <summary>The path of a file by the name that the store lists.</summary>
    /// <exception cref="CheckpointStoreException">The name is not one of a store's files.</exception>
    public string FilePath(TaskId task, string file) =>
        CheckpointNames.TryParseFile(file, out _) ? Path.Combine(Root, task.Value, file) : throw NoStoreFile(file);

    public static CheckpointStoreException NoStoreFile(string file) =>
        new($"'{file}' is not the name of a checkpoint's file; nothing was done to it.");

    /// <summary>Makes the folders of a task, and the store itself when this is its very first use.</summary>
    /// <param name="task">The task.</param>
    /// <param name="mayCreateStore">False when checkpoints are known to exist: then a store that is not there is a disk that is not
    /// mounted.</param>
    /// <exception cref="CheckpointStoreException">The store is away.</exception>
    public void Prepare(TaskId task, bool mayCreateStore)
    {
        PrepareStore(mayCreateStore);
        CreateDurably(TaskFolder(task));
        CreateDurably(PackFolder(task));
        CreateDurably(ManifestFolder(task));
    }

    /// <summary>Makes the folder of bundles; a bundle may be what a store is first used for.</summary>
    public void PrepareBundles()
    {
        PrepareStore(mayCreateStore: true);
        CreateDurably(BundleFolder);
    }

    /// <summary>Makes the folder of a run's output.</summary>
    /// <exception cref="CheckpointStoreException">The store is away.</exception>
    public void PrepareOutput(TaskId task, string run, bool mayCreateStore)
    {
        PrepareStore(mayCreateStore);
        Directory.CreateDirectory(Path.Combine(OutputFolder(task), run));
    }

    /// <summary>Looks for the store, and makes it where that may be.</summary>
    /// <exception cref="CheckpointStoreException">The store is away.</exception>
    public void PrepareStore(bool mayCreateStore)
    {
        if (!File.Exists(MarkerPath))
        {
            if (!mayCreateStore)
            {
                throw Away();
            }

            CreateDurably(Root);
            string temporary = $"{MarkerPath}.{Path.GetRandomFileName()}{TemporarySuffix}";
            DurableFile.Write(temporary, MarkerBytes);
            File.Move(temporary, MarkerPath, overwrite: true);
            DirectorySync.Sync(Root);
        }
    }

    /// <exception cref="CheckpointStoreException">The store is away.</exception>
    public void RequireStore()
    {
        if (!File.Exists(MarkerPath))
        {
            throw Away();
        }
    }

    private CheckpointStoreException Away() =>
        new(
            $"The checkpoint store at {Root} is away: its {MarkerName} is missing or cannot be read. "
                + "Check that the disk is mounted and actortrainer.checkpoints.path is right."
        );

    private static void CreateDurably(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(folder);
        if (parent is not null)
        {
            CreateDurably(parent);
        }

        Directory.CreateDirectory(folder);
        if (parent is not null)
        {
            DirectorySync.Sync(parent);
        }
    }
}
