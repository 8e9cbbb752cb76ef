using System.Collections.Concurrent;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// Files at the nodes that one checkpoint is copied to: the same nodes from its first pack to its manifest, so that whoever has the
/// manifest has the packs. A file is there when all of them have it.
/// </summary>
internal sealed class PeerHolders(PeerCaller caller, IPeers peers, PeerFiles all, IReadOnlyList<NodeAddress> nodes) : IStoreFiles
{
    private readonly ConcurrentDictionary<NodeAddress, CheckpointStoreException> _failed = [];

    public int AtOnce => all.AtOnce;

    public TaskScheduler Threads => all.Threads;

    /// <summary>The nodes.</summary>
    public IReadOnlyList<NodeAddress> Nodes => nodes;

    public string PlaceOf(TaskId task) => $"{string.Join(", ", nodes)}: {task}";

    public void RequireStore(CancellationToken cancellationToken) => all.RequireStore(cancellationToken);

    public void Prepare(TaskId task, bool mayCreateStore, CancellationToken cancellationToken) =>
        all.Prepare(task, mayCreateStore, cancellationToken);

    /// <summary>
    /// The length that the file has at all of them that answer. While one of them does not, no manifest is there: its checkpoint is not
    /// copied as often as it should be.
    /// </summary>
    public long? LengthOf(TaskId task, string file, CancellationToken cancellationToken)
    {
        long?[] lengths = [.. Answering.Select(node => Ask(node, task, file, cancellationToken)).Distinct()];
        return lengths is [{ } length] && (_failed.IsEmpty || file.StartsWith("packs/", StringComparison.Ordinal)) ? length : null;
    }

    public IPackSink CreatePack(TaskId task, string pack, long atMost, CancellationToken cancellationToken)
    {
        NodeAddress[] lacking = [.. Answering.Where(node => Ask(node, task, pack, cancellationToken) != atMost)];
        return new PeerSink(caller, lacking.Intersect(Answering), task, pack, atMost, Fail, cancellationToken);
    }

    public void SyncPacks(TaskId task) => all.SyncPacks(task);

    public IPackSource? OpenPack(TaskId task, string pack, CancellationToken cancellationToken) =>
        all.OpenPack(task, pack, cancellationToken);

    public byte[]? ReadManifest(TaskId task, string file, CancellationToken cancellationToken) =>
        all.ReadManifest(task, file, cancellationToken);

    public void WriteManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken)
    {
        using (PeerSink sink = new(caller, Answering, task, file, bytes.Length, Fail, cancellationToken))
        {
            sink.Append(bytes);
            sink.Finish(bytes.Length);
        }

        if (!_failed.IsEmpty)
        {
            // Those that answer have it; another one has to take the place of the one that does not.
            throw _failed.Values.First();
        }
    }

    public IReadOnlyList<string> List(TaskId task, CancellationToken cancellationToken) => all.List(task, cancellationToken);

    /// <summary>A node shows no file that is not whole, so nothing has to make room for a second attempt.</summary>
    public void Delete(TaskId task, string file, CancellationToken cancellationToken) { }

    public long? Share(TaskId from, string pack, TaskId to, string name, CancellationToken cancellationToken) =>
        all.Share(from, pack, to, name, cancellationToken);

    /// <exception cref="CheckpointStoreException">None does.</exception>
    private IReadOnlyList<NodeAddress> Answering
    {
        get
        {
            NodeAddress[] answering = [.. nodes.Where(node => !_failed.ContainsKey(node))];
            return answering.Length > 0 ? answering : throw _failed.Values.First();
        }
    }

    private long? Ask(NodeAddress node, TaskId task, string file, CancellationToken cancellationToken)
    {
        try
        {
            return OwnThreads.Wait(() => caller.LengthAsync(node, task, file, cancellationToken));
        }
        catch (CheckpointStoreException e)
        {
            Fail(node, e);
            return null;
        }
    }

    private void Fail(NodeAddress node, CheckpointStoreException e)
    {
        // The next attempt goes to another one.
        peers.PassOver(node);
        _failed.TryAdd(node, e);
    }
}
