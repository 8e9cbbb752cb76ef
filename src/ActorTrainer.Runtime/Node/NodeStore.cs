using System.Runtime.CompilerServices;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Runtime.Node;

/// <summary>The checkpoint store that a node's configuration asks for.</summary>
internal sealed class NodeStore : IAsyncDisposable
{
    private readonly S3Store? _bucket;
    private readonly TieredStore? _tiered;

    /// <param name="model">The node's configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="report">Told what a tiered store has to say.</param>
    /// <exception cref="CheckpointStoreException">It cannot be opened: credentials or a folder cannot be read.</exception>
    public NodeStore(NodeModel model, TimeProvider time, Action<TierNotice> report)
    {
        CheckpointStoreModel checkpoints = model.Checkpoints;
        bool isTiered = checkpoints.Store == CheckpointStoreKind.Tiered;
        if ((isTiered ? checkpoints.Tiered.Remote : checkpoints.Store) == CheckpointStoreKind.S3)
        {
            _bucket = OpenBucket(checkpoints, time);
        }

        Folder = new FolderStore(checkpoints, time);
        if (isTiered)
        {
            ChunkedStore remote = _bucket is not null
                ? _bucket
                : new FolderStore(checkpoints with { Path = checkpoints.Tiered.RemotePath ?? "" }, time);
            string backlog = Path.Combine(model.DataDir, "sync");
            _tiered = new TieredStore(Folder, remote, backlog, checkpoints.Tiered.SyncInterval, time, report);
        }
    }

    /// <summary>What tasks save to.</summary>
    public ICheckpointStore Store =>
        _tiered is not null ? _tiered
        : _bucket is not null ? _bucket
        : Folder;

    /// <summary>The folder, which bundles and output stand in under every kind.</summary>
    public FolderStore Folder { get; }

    /// <summary>How many checkpoints and removals wait to be copied; null: the store has one tier.</summary>
    public int? Backlog => _tiered?.Backlog;

    /// <summary>Begins to copy what is still to be copied. To be called once the data folder is this node's alone.</summary>
    /// <exception cref="CheckpointStoreException">What is still to be copied cannot be read.</exception>
    public void Start() => _tiered?.Start();

    /// <summary>Whether a bucket answers and can be written; nothing to ask of a folder.</summary>
    /// <exception cref="CheckpointStoreException">It cannot; says why and what to do.</exception>
    public Task CheckAsync(CancellationToken cancellationToken) => _bucket?.CheckAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>On its own, so that a node without a bucket does not load the service's library.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static S3Store OpenBucket(CheckpointStoreModel model, TimeProvider time) => new(model, time);

    public async ValueTask DisposeAsync()
    {
        if (_tiered is not null)
        {
            await _tiered.DisposeAsync();
        }

        _bucket?.Dispose();
    }
}
