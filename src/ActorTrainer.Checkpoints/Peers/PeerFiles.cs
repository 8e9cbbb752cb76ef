using System.Globalization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// Files of a store as other nodes have them. A file is missing once every node that may have it has said so; while one of them does not
/// answer, or is gone for a short time only, the store is away.
/// </summary>
/// <param name="caller">Asks the nodes.</param>
/// <param name="peers">Who they are.</param>
/// <param name="copies">How many of them keep a copy.</param>
internal sealed class PeerFiles(PeerCaller caller, IPeers peers, int copies) : IStoreFiles
{
    public int AtOnce => 8;

    public TaskScheduler Threads => OwnThreads.Instance;

    public string PlaceOf(TaskId task) => $"other nodes/{task}";

    public void RequireStore(CancellationToken cancellationToken)
    {
        // A missing file is only told once all have answered, so nothing has to be asked here.
    }

    public void Prepare(TaskId task, bool mayCreateStore, CancellationToken cancellationToken)
    {
        // The others prepare their folders as files come.
    }

    public IStoreFiles ForCopying(TaskId task, CancellationToken cancellationToken) => HoldersOf(task);

    public long? LengthOf(TaskId task, string file, CancellationToken cancellationToken) =>
        Find(task, file, node => OwnThreads.Wait(() => caller.LengthAsync(node, task, file, cancellationToken)));

    public IPackSink CreatePack(TaskId task, string pack, long atMost, CancellationToken cancellationToken) =>
        HoldersOf(task).CreatePack(task, pack, atMost, cancellationToken);

    public void SyncPacks(TaskId task)
    {
        // A file is durable with its name when a node has taken it.
    }

    public IPackSource? OpenPack(TaskId task, string pack, CancellationToken cancellationToken)
    {
        // A copy that does not even begin as one is taken when nobody has another; its reader says what is wrong with it.
        Source? wrong = null;
        return Find<Source>(
                task,
                pack,
                node =>
                {
                    byte[] header = new byte[PackFormat.FileHeaderSize];
                    if (OwnThreads.Wait(() => caller.ReadAsync(node, task, pack, 0, header, cancellationToken)) is not { } read)
                    {
                        return null;
                    }

                    Source found = new(this, task, pack, node, header.AsMemory(0, read));
                    if (header.AsSpan().SequenceEqual(PackFormat.FileHeader))
                    {
                        return found;
                    }

                    wrong ??= found;
                    return null;
                }
            ) ?? wrong;
    }

    public byte[]? ReadManifest(TaskId task, string file, CancellationToken cancellationToken) =>
        Find(task, file, node => OwnThreads.Wait(() => caller.ReadWholeAsync(node, task, file, cancellationToken)));

    public void WriteManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken) =>
        HoldersOf(task).WriteManifest(task, file, bytes, cancellationToken);

    /// <summary>
    /// Those of the nodes that answer: the list is there to find files that nobody needs, and those of the others are found another time.
    /// </summary>
    public IReadOnlyList<string> List(TaskId task, CancellationToken cancellationToken)
    {
        HashSet<string> files = new(StringComparer.Ordinal);
        foreach (NodeAddress node in OrderOf(task))
        {
            try
            {
                files.UnionWith(
                    OwnThreads
                        .Wait(() => caller.ListAsync(node, task, cancellationToken))
                        .Select(file => file.Name)
                        .Where(PeerProtocol.IsShared)
                );
            }
            catch (CheckpointStoreException)
            {
                peers.PassOver(node);
            }
        }

        return [.. files];
    }

    /// <summary>A node that does not answer keeps it until the task's next activation finds it there.</summary>
    public void Delete(TaskId task, string file, CancellationToken cancellationToken)
    {
        if (!PeerProtocol.IsShared(file))
        {
            return;
        }

        foreach (NodeAddress node in OrderOf(task))
        {
            try
            {
                OwnThreads.Wait(async () =>
                {
                    await caller.DeleteAsync(node, task, file, cancellationToken);
                    return true;
                });
            }
            catch (CheckpointStoreException)
            {
                peers.PassOver(node);
            }
        }
    }

    public long? Share(TaskId from, string pack, TaskId to, string name, CancellationToken cancellationToken)
    {
        using IPackSource? source = OpenPack(from, pack, cancellationToken);
        if (source is null)
        {
            return null;
        }

        long length = LengthOf(from, pack, cancellationToken) ?? 0;
        using IPackSink sink = CreatePack(to, name, length, cancellationToken);
        byte[] piece = GC.AllocateUninitializedArray<byte>(1 << 20);
        long at = 0;
        while (source.Read(at, piece, cancellationToken) is > 0 and int read)
        {
            sink.Append(piece.AsSpan(0, read));
            at += read;
        }

        sink.Finish(length);
        return length;
    }

    /// <summary>The nodes that are to have a task's copies now.</summary>
    /// <exception cref="CheckpointStoreException">There is no other node.</exception>
    public PeerHolders HoldersOf(TaskId task)
    {
        IReadOnlyList<NodeAddress> order = OrderOf(task);
        if (order.Count == 0)
        {
            throw new CheckpointStoreException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"There is no other node that could keep a copy (actortrainer.checkpoints.copies is {copies + 1}). Start one more."
                )
            );
        }

        return new PeerHolders(caller, peers, this, [.. order.OrderBy(peers.IsPassedOver).Take(copies)]);
    }

    private IReadOnlyList<NodeAddress> OrderOf(TaskId task) => PeerOrder.Of(task.Value, peers.Self, peers.Living);

    /// <summary>The answer of the first node that has it; null once all have said that they have not.</summary>
    private T? Find<T>(TaskId task, string file, Func<NodeAddress, T?> ask)
    {
        if (!PeerProtocol.IsShared(file))
        {
            return default;
        }

        if (!peers.IsJoined)
        {
            throw new CheckpointStoreException($"Other nodes cannot be asked for {task}/{file}: this node is not in the cluster now.");
        }

        CheckpointStoreException? silent = null;
        foreach (NodeAddress node in OrderOf(task).OrderBy(peers.IsPassedOver))
        {
            try
            {
                if (ask(node) is { } answer)
                {
                    return answer;
                }
            }
            catch (CheckpointStoreException e)
            {
                peers.PassOver(node);
                silent ??= e;
            }
        }

        if (silent is not null)
        {
            throw new CheckpointStoreException($"No node that answers has {task}/{file}. {silent.Message}", silent);
        }

        return peers.Missing is [NodeAddress gone, ..] ? throw WaitFor(gone, task, file) : default;
    }

    private static CheckpointStoreException WaitFor(NodeAddress gone, TaskId task, string file) =>
        new($"No node has {task}/{file} whole, but {gone} is gone only since a short time and may have it. It is waited for.");

    private int Read(Source source, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        try
        {
            if (ReadOf(source.Node) is { } read)
            {
                return read;
            }
        }
        catch (CheckpointStoreException)
        {
            peers.PassOver(source.Node);
        }

        // It was removed, or its node has gone: another one may have it.
        (NodeAddress Node, int Read)? other = Find<(NodeAddress, int)?>(
            source.Task,
            source.Pack,
            node => ReadOf(node) is { } read ? (node, read) : null
        );
        if (other is not { } found)
        {
            throw new CheckpointDamagedException($"{source.Task}/{source.Pack} is missing: it was removed while it was read.");
        }

        source.Node = found.Node;
        return found.Read;

        int? ReadOf(NodeAddress node) =>
            OwnThreads.Wait(() => caller.ReadAsync(node, source.Task, source.Pack, offset, target, cancellationToken));
    }

    /// <exception cref="CheckpointStoreException">After the last one: a node may come back that has it.</exception>
    private IEnumerable<IPackSource> Others(Source source)
    {
        foreach (NodeAddress node in OrderOf(source.Task).Except([source.Node]).ToArray())
        {
            yield return new AtNode(caller, node, source.Task, source.Pack);
        }

        if (peers.Missing is [NodeAddress gone, ..])
        {
            throw WaitFor(gone, source.Task, source.Pack);
        }
    }

    /// <summary>A pack as one node has it; one that does not answer may have it whole, and so it is an error.</summary>
    private sealed class AtNode(PeerCaller caller, NodeAddress node, TaskId task, string pack) : IPackSource
    {
        public int Read(long offset, Memory<byte> target, CancellationToken cancellationToken) =>
            OwnThreads.Wait(() => caller.ReadAsync(node, task, pack, offset, target, cancellationToken)) ?? 0;

        public void Dispose()
        {
            // Nothing is held open.
        }
    }

    private sealed class Source(PeerFiles files, TaskId task, string pack, NodeAddress node, ReadOnlyMemory<byte> header) : IPackSource
    {
        private readonly Lock _lock = new();

        public TaskId Task => task;

        public string Pack => pack;

        public NodeAddress Node
        {
            get
            {
                lock (_lock)
                {
                    return field;
                }
            }
            set
            {
                lock (_lock)
                {
                    field = value;
                }
            }
        } = node;

        public int Read(long offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            if (offset == 0 && target.Length == PackFormat.FileHeaderSize)
            {
                header.CopyTo(target);
                return header.Length;
            }

            return files.Read(this, offset, target, cancellationToken);
        }

        public IEnumerable<IPackSource> Others() => files.Others(this);

        public void Dispose()
        {
            // Nothing is held open.
        }
    }
}
