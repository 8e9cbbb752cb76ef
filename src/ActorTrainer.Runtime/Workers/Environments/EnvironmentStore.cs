using System.Globalization;
using System.Text;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Environments;

/// <summary>
/// The environments that a node has made: <c>DATA/environments/HASH/</c>, and beside each that is complete <c>HASH.made</c> with its size
/// in bytes, whose time is that of its last use. A folder without it was being made when the node ended, and is removed.
/// </summary>
/// <remarks>
/// A virtual environment has its own path in its scripts, so that it is made where it stays, and not renamed when it is complete.
/// </remarks>
internal sealed class EnvironmentStore(string dataDirectory, EnvironmentBounds bounds, Action<string> deleteFolder, TimeProvider time)
{
    private const string MadeSuffix = ".made";
    private const string RemovedPrefix = "removed-";

    private readonly string _root = Path.Combine(dataDirectory, "environments");
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];

    /// <summary>Where the environment of a hash is, or is made.</summary>
    public string FolderOf(string hash) => Path.Combine(_root, hash);

    /// <summary>
    /// Lets a run use an environment, which is made first where it is not there. Only one makes it at a time; if that fails or is ended,
    /// the next one that waits makes it.
    /// </summary>
    /// <param name="hash">What it is known by.</param>
    /// <param name="make">Makes it in its folder, which is empty; throws where it cannot be made.</param>
    /// <param name="waits">Called when another one is making it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Dispose it when nothing of the run is left: until then the environment stays.</returns>
    public async Task<IDisposable> UseAsync(string hash, Func<Task> make, Action waits, CancellationToken cancellationToken)
    {
        Entry entry = Enter(hash);
        try
        {
            if (!await entry.Gate.WaitAsync(0, cancellationToken))
            {
                waits();
                await entry.Gate.WaitAsync(cancellationToken);
            }

            try
            {
                if (!IsMade(hash))
                {
                    await MakeAsync(hash, make);
                }
            }
            finally
            {
                _ = entry.Gate.Release();
            }

            Touch(hash);
            return new Use(this, hash);
        }
        catch
        {
            Leave(hash);
            throw;
        }
    }

    /// <summary>Removes what is incomplete, unused for too long, or too much; of what is used nothing.</summary>
    public void Sweep()
    {
        if (!Directory.Exists(_root))
        {
            return;
        }

        lock (_lock)
        {
            List<KeptEnvironment> kept = [];
            foreach (string folder in Directory.GetDirectories(_root))
            {
                string hash = Path.GetFileName(folder);
                bool inUse = _entries.ContainsKey(hash);
                if (IsMade(hash))
                {
                    kept.Add(new KeptEnvironment(hash, BytesOf(hash), File.GetLastWriteTimeUtc(MadePath(hash)), inUse));
                }
                else if (!inUse)
                {
                    Discard(hash);
                }
            }

            foreach (string hash in bounds.Surplus(kept, time.GetUtcNow()))
            {
                Discard(hash);
            }
        }

        foreach (string removed in Directory.GetDirectories(_root, RemovedPrefix + "*"))
        {
            deleteFolder(removed);
        }
    }

    private async Task MakeAsync(string hash, Func<Task> make)
    {
        string folder = FolderOf(hash);
        Discard(hash);
        _ = Directory.CreateDirectory(folder);
        try
        {
            await make();
            string temporary = Path.Combine(folder, Path.GetRandomFileName());
            DurableFile.Write(RealDisk.Instance, temporary, Encoding.ASCII.GetBytes(SizeOf(folder).ToString(CultureInfo.InvariantCulture)));
            File.Move(temporary, MadePath(hash), overwrite: true);
            DirectorySync.Sync(_root);
        }
        catch
        {
            Discard(hash);
            throw;
        }
    }

    /// <summary>Takes it out of use at once; its files, which may be very many, are deleted by the sweep.</summary>
    private void Discard(string hash)
    {
        try
        {
            File.Delete(MadePath(hash));
            if (Directory.Exists(FolderOf(hash)) && !hash.StartsWith(RemovedPrefix, StringComparison.Ordinal))
            {
                Directory.Move(FolderOf(hash), Path.Combine(_root, RemovedPrefix + Path.GetRandomFileName()));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without its mark it counts for nothing; a later sweep takes it.
        }
    }

    private string MadePath(string hash) => Path.Combine(_root, hash + MadeSuffix);

    private bool IsMade(string hash) => File.Exists(MadePath(hash)) && Directory.Exists(FolderOf(hash));

    private long BytesOf(string hash) =>
        long.TryParse(File.ReadAllText(MadePath(hash)), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes : 0;

    private static long SizeOf(string folder) =>
        new DirectoryInfo(folder)
            .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Sum(file => file.Length);

    private void Touch(string hash)
    {
        try
        {
            File.SetLastWriteTimeUtc(MadePath(hash), time.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that takes nothing now: it counts as used when it was before.
        }
    }

    private Entry Enter(string hash)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(hash, out Entry? entry))
            {
                _entries[hash] = entry = new Entry();
            }

            entry.Users++;
            return entry;
        }
    }

    private void Leave(string hash)
    {
        lock (_lock)
        {
            if (--_entries[hash].Users == 0)
            {
                _ = _entries.Remove(hash);
            }
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public int Users { get; set; }
    }

    private sealed class Use(EnvironmentStore store, string hash) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                store.Touch(hash);
                store.Leave(hash);
            }
        }
    }
}
