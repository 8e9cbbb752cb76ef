using System.Collections.Concurrent;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Where things stand below the store's folder: <c>TASK/packs/NAME.pack</c>, <c>TASK/manifests/NAME.json</c>,
/// <c>bundles/HASH.tar.gz</c>, <c>output/TASK/…</c>, and a marker that tells a store from the empty mount point of one.
/// </summary>
internal sealed class FolderLayout(string root, IDisk disk)
{
    public const string MarkerName = "actortrainer-store.json";
    public const string TemporarySuffix = ".tmp";

    public static readonly byte[] MarkerBytes = "{ \"format\": \"actortrainer-store\", \"version\": 1 }\n"u8.ToArray();

    private const int AccessDenied = 13;

    // What this process made durable or found durable; see CreateDurably.
    private readonly ConcurrentDictionary<string, bool> _durable = new(StringComparer.Ordinal);

    /// <summary>The layout of a folder on the disk itself.</summary>
    public FolderLayout(string root)
        : this(root, RealDisk.Instance) { }

    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>What its files are changed through.</summary>
    public IDisk Disk => disk;

    public string MarkerPath => Path.Combine(Root, MarkerName);

    /// <summary>No task's id is <c>bundles</c>: they have a dash.</summary>
    public string BundleFolder => Path.Combine(Root, "bundles");

    /// <summary>The archive of a bundle.</summary>
    /// <exception cref="ArgumentException">The text is no hash.</exception>
    public string BundlePath(string hash) => Path.Combine(Root, BundleFile(hash));

    /// <summary>The same, below a store of any kind.</summary>
    /// <exception cref="ArgumentException">The text is no hash.</exception>
    public static string BundleFile(string hash) =>
        BundleSpec.IsHash(hash) ? $"bundles/{hash}.tar.gz" : throw new ArgumentException($"'{hash}' is not a bundle's hash.", nameof(hash));

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
            DurableFile.Write(disk, temporary, MarkerBytes);
            disk.Rename(temporary, MarkerPath, overwrite: true);
            disk.SyncFolder(Root);
            _durable[MarkerPath] = true;
        }
        else if (!_durable.ContainsKey(MarkerPath))
        {
            disk.SyncFolder(Root);
            _durable[MarkerPath] = true;
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
                + "Check that the disk is mounted and actortrainer.checkpoints.path, or tiered.remote-path, is right."
        );

    /// <summary>
    /// Makes a folder and those above it, so that they outlive a power cut. One that is there already may be of a process that ended before
    /// it could sync it: so that is done once by every process, before something in it is said to be durable.
    /// </summary>
    private void CreateDurably(string folder)
    {
        bool isThere = Directory.Exists(folder);
        if (isThere && _durable.ContainsKey(folder))
        {
            return;
        }

        if (Path.GetDirectoryName(folder) is { } parent)
        {
            if (!isThere)
            {
                CreateDurably(parent);
                disk.MakeFolder(folder);
            }

            try
            {
                disk.SyncFolder(parent);
            }
            catch (IOException e) when (isThere && folder.Length <= Root.Length && e.HResult == AccessDenied)
            {
                // Above the store, where this node's user may not look: somebody else made the folder, long ago.
            }
        }

        _durable[folder] = true;
    }
}
