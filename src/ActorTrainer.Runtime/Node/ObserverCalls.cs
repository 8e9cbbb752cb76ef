using System.Threading.Channels;
using ActorTrainer.Core.Membership;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// Tells observers what changed from view to view, each in a loop of its own: neither the node nor another observer waits for a slow one.
/// </summary>
/// <remarks>
/// At most <see cref="MostViews"/> views wait for an observer. Beyond that the oldest is dropped, which loses no final state: what is told
/// is the difference to the view that was told last, so that the next one says what the dropped one would have, except what has passed
/// again since.
/// </remarks>
internal sealed partial class ObserverCalls : IAsyncDisposable
{
    /// <summary>How many views wait for an observer.</summary>
    public const int MostViews = 256;

    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(2);

    private readonly List<Channel<ClusterView>> _views = [];
    private readonly List<Task> _loops = [];
    private readonly CancellationTokenSource _end = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public ObserverCalls(IEnumerable<IClusterObserver> observers, TimeProvider time, ILogger<ObserverCalls> logger)
    {
        _time = time;
        _logger = logger;
        foreach (IClusterObserver observer in observers)
        {
            Channel<ClusterView> views = Channel.CreateBounded<ClusterView>(
                new BoundedChannelOptions(MostViews) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
            );
            _views.Add(views);
            _loops.Add(Task.Run(() => TellAsync(observer, views.Reader)));
        }
    }

    /// <summary>Takes a new view; returns at once.</summary>
    public void OnView(ClusterView view)
    {
        foreach (Channel<ClusterView> views in _views)
        {
            views.Writer.TryWrite(view);
        }
    }

    /// <summary>
    /// Ends when the observers were told what was seen last. One that does not come to an end is cancelled, and not waited for.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _views.ForEach(v => v.Writer.TryComplete());
        try
        {
            await Task.WhenAll(_loops).WaitAsync(EndWithin, _time);
            _end.Dispose();
        }
        catch (TimeoutException)
        {
            LogSlow(_logger, EndWithin);
            await _end.CancelAsync();
        }
    }

    private async Task TellAsync(IClusterObserver observer, ChannelReader<ClusterView> views)
    {
        ClusterView told = ClusterView.Empty;
        await foreach (ClusterView view in views.ReadAllAsync())
        {
            foreach (ClusterChange change in ClusterChanges.Between(told, view))
            {
                if (_end.IsCancellationRequested)
                {
                    return;
                }

                await TellAsync(observer, change);
            }

            told = view;
        }
    }

    private async Task TellAsync(IClusterObserver observer, ClusterChange change)
    {
        try
        {
            await observer.OnChangeAsync(change, _end.Token);
        }
        catch (Exception e)
        {
            // It is the host program's code: whatever it throws must not end the node.
            LogFailed(_logger, e, observer.GetType().Name, change.Kind, change.Name);
        }
    }
}
