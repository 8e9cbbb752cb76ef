using System.Runtime.CompilerServices;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Node;

/// <summary>The checkpoint store that a node's configuration asks for.</summary>
internal sealed class NodeStore : IAsyncDisposable
{
    /// <summary>How long a connection to another node may take to stand.</summary>
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(2);

    private readonly NodeModel _model;
    private readonly TimeProvider _time;
    private readonly Action<TierNotice> _report;
    private readonly S3Store? _bucket;
    private readonly KnownPeers? _peers;
    private readonly HttpClient? _http;
    private readonly TieredStore? _tiered;
    private readonly PeerBundles? _bundles;
    private CopyCare? _care;

    /// <param name="model">The node's configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="report">Told what a tiered store, or one with copies, has to say.</param>
    /// <exception cref="CheckpointStoreException">It cannot be opened: credentials or a folder cannot be read.</exception>
    public NodeStore(NodeModel model, TimeProvider time, Action<TierNotice> report)
    {
        (_model, _time, _report) = (model, time, report);
        CheckpointStoreModel checkpoints = model.Checkpoints;
        bool isTiered = checkpoints.Store == CheckpointStoreKind.Tiered;
        if ((isTiered ? checkpoints.Tiered.Remote : checkpoints.Store) == CheckpointStoreKind.S3)
        {
            _bucket = OpenBucket(checkpoints, time);
        }

        Folder = new FolderStore(checkpoints, time);
        FolderBundles bundles = new(checkpoints, time);
        Files = new PeerFolder(checkpoints.Path, bundles);
        Bundles = bundles;
        if (isTiered)
        {
            CheckpointStoreModel behind = checkpoints with { Path = checkpoints.Tiered.RemotePath ?? "" };
            ChunkedStore remote = _bucket is not null ? _bucket : new FolderStore(behind, time);
            IBundlePlace place = _bucket?.Bundles ?? new FolderBundlePlace(new FolderBundles(behind, time));
            BundleCopy copy = new(bundles, place);
            _tiered = OpenTiered(remote, copy, checkpoints.Tiered.SyncInterval);
            Bundles = new RemoteBundles(copy, _tiered);
        }
        else if (_bucket is not null)
        {
            Bundles = new RemoteBundles(new BundleCopy(bundles, _bucket.Bundles), tiered: null);
        }
        else if (checkpoints is { Store: CheckpointStoreKind.Folder, Copies: > 1 })
        {
            _peers = new KnownPeers(Path.Combine(model.DataDir, "peers.json"), checkpoints.CopiesWait, time);
            _http = NodeHttp.CreateClient(ConnectWithin, model.Security.Token);
            PeerCaller caller = new(_http, time);
            PeerFiles files = new(caller, _peers, checkpoints.Copies - 1);
            Bundles = _bundles = new PeerBundles(bundles, caller, _peers, checkpoints.Copies - 1);
            _tiered = OpenTiered(new PeerStore(files, checkpoints, time), bundles: null, interval: null);
        }
    }

    /// <summary>What tasks save to.</summary>
    public ICheckpointStore Store =>
        _tiered is not null ? _tiered
        : _bucket is not null ? _bucket
        : Folder;

    /// <summary>The folder, which bundles and output stand in under every kind.</summary>
    public FolderStore Folder { get; }

    /// <summary>The bundles of the folder, and of the bucket or folder behind it, or of other nodes where they keep copies.</summary>
    public IBundleStore Bundles { get; }

    /// <summary>What the folder has, for other nodes.</summary>
    public PeerFolder Files { get; }

    /// <summary>How many checkpoints, bundles and removals wait to be copied; null: the store has one tier and no copies.</summary>
    public int? Backlog => _tiered?.Backlog;

    /// <summary>The checkpoints that wait to be copied; null as above.</summary>
    public IReadOnlyList<(TaskId Task, string Checkpoint)>? Waiting => _tiered?.Waiting;

    /// <summary>Begins to copy what is still to be copied. To be called once the data folder is this node's alone.</summary>
    /// <param name="self">Where this node listens.</param>
    /// <param name="client">Says who the others are, and which checkpoints there are.</param>
    /// <exception cref="CheckpointStoreException">What is still to be copied cannot be read.</exception>
    public void Start(NodeAddress self, ITaskClient client)
    {
        Files.Clear();
        if (_peers is not null && _tiered is not null && _bundles is not null)
        {
            _peers.Start(
                self,
                _model.SeedNodes,
                () => [.. client.View.Members.Where(member => member.IsLiving).Select(member => member.Address)]
            );
            FolderOwner folder = new(_model.Checkpoints.Path, _peers, _report);
            _care = new CopyCare(client, _tiered, _bundles, _peers, folder, _model.Checkpoints.Copies, _time, _report);
            _care.Start();
        }

        _tiered?.Start();
    }

    /// <summary>Whether a bucket answers and can be written; nothing to ask of a folder.</summary>
    /// <exception cref="CheckpointStoreException">It cannot; says why and what to do.</exception>
    public Task CheckAsync(CancellationToken cancellationToken) => _bucket?.CheckAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>On its own, so that a node without a bucket does not load the service's library.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static S3Store OpenBucket(CheckpointStoreModel model, TimeProvider time) => new(model, time);

    private TieredStore OpenTiered(ChunkedStore remote, BundleCopy? bundles, TimeSpan? interval) =>
        new(Folder, remote, bundles, Path.Combine(_model.DataDir, "sync"), interval, _time, _report)
        {
            Durability = _model.Checkpoints.Durability,
        };

    public async ValueTask DisposeAsync()
    {
        if (_care is not null)
        {
            await _care.DisposeAsync();
        }

        if (_tiered is not null)
        {
            await _tiered.DisposeAsync();
        }

        _http?.Dispose();
        _bucket?.Dispose();
    }
}
