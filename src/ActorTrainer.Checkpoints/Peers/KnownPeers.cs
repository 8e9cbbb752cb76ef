using System.Text.Json;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// The other nodes, kept on disk: after a restart of the whole cluster the first node that is up knows who else may have a file.
/// </summary>
/// <param name="file">Where they are noted; on a disk of this node's own.</param>
/// <param name="lostAfter">How long a node may be gone before nothing is expected of it any more.</param>
/// <param name="time">The clock.</param>
internal sealed class KnownPeers(string file, TimeSpan lostAfter, TimeProvider time) : IPeers
{
    private static readonly TimeSpan PassedOverFor = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();

    /// <summary>All that are noted, and since when each of them is gone; null: it is there.</summary>
    private readonly Dictionary<NodeAddress, long?> _known = [];
    private readonly Dictionary<NodeAddress, long> _passedOver = [];
    private Func<IReadOnlyCollection<NodeAddress>> _members = () => [];
    private IReadOnlyList<NodeAddress> _written = [];

    /// <inheritdoc />
    public NodeAddress Self { get; private set; }

    /// <inheritdoc />
    public bool IsJoined => _members().Contains(Self);

    /// <inheritdoc />
    public IReadOnlyList<NodeAddress> Living
    {
        get
        {
            NodeAddress[] living = [.. _members().Where(member => member != Self).Distinct().Order()];
            lock (_lock)
            {
                Note(living);
            }

            return living;
        }
    }

    /// <inheritdoc />
    public IReadOnlyList<NodeAddress> Missing
    {
        get
        {
            IReadOnlyList<NodeAddress> living = Living;
            lock (_lock)
            {
                return [.. _known.Keys.Except(living).Order()];
            }
        }
    }

    /// <summary>Begins: who this node is, who the members are, and who may be one.</summary>
    /// <param name="self">This node.</param>
    /// <param name="seeds">Nodes of the configuration.</param>
    /// <param name="members">The members that are not known to be gone, this one among them.</param>
    public void Start(NodeAddress self, IEnumerable<NodeAddress> seeds, Func<IReadOnlyCollection<NodeAddress>> members)
    {
        lock (_lock)
        {
            Self = self;
            foreach (NodeAddress node in Read().Concat(seeds).Where(node => node != self))
            {
                _known[node] = time.GetTimestamp();
            }
        }

        _members = members;
    }

    /// <inheritdoc />
    public bool IsPassedOver(NodeAddress node)
    {
        lock (_lock)
        {
            return _passedOver.TryGetValue(node, out long since) && time.GetElapsedTime(since) < PassedOverFor;
        }
    }

    /// <inheritdoc />
    public void PassOver(NodeAddress node)
    {
        lock (_lock)
        {
            _passedOver[node] = time.GetTimestamp();
        }
    }

    private void Note(NodeAddress[] living)
    {
        foreach (NodeAddress node in living)
        {
            _known[node] = null;
        }

        foreach (NodeAddress node in _known.Keys.Except(living).ToArray())
        {
            long since = _known[node] ?? time.GetTimestamp();
            _known[node] = since;
            if (time.GetElapsedTime(since) >= lostAfter)
            {
                _known.Remove(node);
            }
        }

        IReadOnlyList<NodeAddress> all = [.. _known.Keys.Order()];
        if (Self != default && !all.SequenceEqual(_written))
        {
            Write(all);
        }
    }

    private IReadOnlyList<NodeAddress> Read()
    {
        try
        {
            _written = JsonSerializer.Deserialize(File.ReadAllBytes(file), PeerJsonContext.Default.IReadOnlyListNodeAddress) ?? [];
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e) || e is JsonException)
        {
            // The seeds and the cluster itself say who there is; the note only helps until they do.
            _written = [];
        }

        return _written;
    }

    private void Write(IReadOnlyList<NodeAddress> all)
    {
        string temporary = file + FolderLayout.TemporarySuffix;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.Delete(temporary);
            DurableFile.Write(
                RealDisk.Instance,
                temporary,
                JsonSerializer.SerializeToUtf8Bytes(all, PeerJsonContext.Default.IReadOnlyListNodeAddress)
            );
            File.Move(temporary, file, overwrite: true);
            _written = all;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // As above; written with the next look.
        }
    }
}
