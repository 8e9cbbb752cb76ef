using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Where the files of a store stand, by the names that it lists (<c>packs/NAME.pack</c>, <c>manifests/NAME.json</c>). A file is written
/// once and never changed. What goes wrong with the place itself is a <see cref="CheckpointStoreException"/>, or an error of the file
/// system that the caller describes; that a file is missing is said by null, and only once the store itself has answered.
/// </summary>
internal interface IStoreFiles
{
    /// <summary>How many reads and encodings of one save or restore are worth doing at once.</summary>
    int AtOnce { get; }

    /// <summary>Where its calls run: they block until the disk or the network has answered.</summary>
    TaskScheduler Threads { get; }

    /// <summary>Where a task's files stand, for messages.</summary>
    string PlaceOf(TaskId task);

    /// <summary>Whether the store is there.</summary>
    /// <exception cref="CheckpointStoreException">It is away.</exception>
    void RequireStore(CancellationToken cancellationToken);

    /// <summary>Makes room for a task's files, and the store itself when this is its very first use.</summary>
    /// <param name="task">The task.</param>
    /// <param name="mayCreateStore">False when checkpoints are known to exist: then a store that is not there is away.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    void Prepare(TaskId task, bool mayCreateStore, CancellationToken cancellationToken);

    /// <summary>A file's length in bytes; null when there is none.</summary>
    long? LengthOf(TaskId task, string file, CancellationToken cancellationToken);

    /// <summary>Begins a pack, which nobody sees before it is finished or whose name nobody knows yet.</summary>
    /// <param name="task">The task.</param>
    /// <param name="pack">Its name, which was not used before.</param>
    /// <param name="atMost">More bytes than this are not written.</param>
    /// <param name="cancellationToken">Gives up what it does.</param>
    IPackSink CreatePack(TaskId task, string pack, long atMost, CancellationToken cancellationToken);

    /// <summary>Makes the names of finished packs durable.</summary>
    void SyncPacks(TaskId task);

    /// <summary>
    /// Writes a pack whose name was perhaps used before, by a copy that was cut off: under its name it is whole and durable or not there,
    /// as far as <see cref="SyncPacks"/> has made the name durable.
    /// </summary>
    /// <param name="task">The task.</param>
    /// <param name="pack">Its name.</param>
    /// <param name="atMost">More bytes than this are not written.</param>
    /// <param name="write">Writes it and gives its length.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    void PutPack(TaskId task, string pack, long atMost, Func<IPackSink, long> write, CancellationToken cancellationToken)
    {
        Delete(task, pack, cancellationToken);
        using IPackSink sink = CreatePack(task, pack, atMost, cancellationToken);
        sink.Finish(write(sink));
    }

    /// <summary>Makes the names of manifests durable that were written by somebody else; nothing to do where they are at once.</summary>
    void SyncManifests(TaskId task) { }

    /// <summary>Opens a pack; null when there is none.</summary>
    IPackSource? OpenPack(TaskId task, string pack, CancellationToken cancellationToken);

    /// <summary>A manifest's bytes; null when there is none.</summary>
    byte[]? ReadManifest(TaskId task, string file, CancellationToken cancellationToken);

    /// <summary>Writes a manifest: whole and durable when the call returns, or not there when it fails.</summary>
    /// <param name="task">The task.</param>
    /// <param name="file">Its name.</param>
    /// <param name="bytes">Its content.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    void WriteManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken);

    /// <summary>As <see cref="WriteManifest"/>, where a copy that was cut off may have left something of it.</summary>
    void PutManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken) =>
        WriteManifest(task, file, bytes, cancellationToken);

    /// <summary>Names of all files of a task, in no order.</summary>
    IReadOnlyList<string> List(TaskId task, CancellationToken cancellationToken);

    /// <summary>Removes a file; one that is not there is passed over.</summary>
    void Delete(TaskId task, string file, CancellationToken cancellationToken);

    /// <summary>
    /// Where one checkpoint of a task is copied to, from its first pack to its manifest. Default: here. Where files stand at several
    /// places, those at which this one is to stand now: a file is there then when it is at all of them.
    /// </summary>
    /// <exception cref="CheckpointStoreException">There is none now.</exception>
    IStoreFiles ForCopying(TaskId task, CancellationToken cancellationToken) => this;

    /// <summary>Gives another task a pack under another name.</summary>
    /// <returns>The bytes that this takes in the store; null when there is no such pack.</returns>
    long? Share(TaskId from, string pack, TaskId to, string name, CancellationToken cancellationToken);
}

/// <summary>A pack that is being written.</summary>
internal interface IPackSink : IDisposable
{
    /// <summary>Adds bytes at its end. The caller may use the memory again at once.</summary>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Makes it durable; it then has exactly this many bytes. Disposing of one that was not finished gives it up.</summary>
    void Finish(long length);
}

/// <summary>A pack that is open for reading, by several threads at once.</summary>
internal interface IPackSource : IDisposable
{
    /// <summary>
    /// Has reads from now on ask the disk itself and leave nothing in the system's memory, where that can be: what is read to find damage
    /// must not come from there, nor drive out what is needed.
    /// </summary>
    void BypassCache() { }

    /// <summary>Reads what stands at an offset.</summary>
    /// <returns>How many bytes, which may be fewer than asked for; 0 at the end of the pack.</returns>
    int Read(long offset, Memory<byte> target, CancellationToken cancellationToken);

    /// <summary>
    /// The same pack at each of the other places that may have it, for when what is read here has other bytes than were written. One that
    /// has no such pack reads 0 bytes; one that does not answer throws, and the next may be asked. Default: there are none.
    /// </summary>
    IEnumerable<IPackSource> Others() => [];
}
