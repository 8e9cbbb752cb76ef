using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Tables;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>A request on its way through a lane. Exactly one of the lane, the limit and the caller's cancellation ends its waiting.</summary>
internal sealed class WorkItem(PreparedRequest request, long enqueuedAt)
{
    private const int Waiting = 0;
    private const int Begun = 1;
    private const int GivenUp = 2;

    private readonly TaskCompletionSource<JournalReply> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state = Waiting;

    public PreparedRequest Request { get; } = request;

    /// <summary>Timestamp of the lane's clock.</summary>
    public long EnqueuedAt { get; } = enqueuedAt;

    public Task<JournalReply> Reply => _reply.Task;

    public bool HasBegun => Volatile.Read(ref _state) == Begun;

    public bool IsAnswered => _reply.Task.IsCompleted;

    /// <summary>Claims the item for execution; false when it was given up before.</summary>
    public bool TryBegin() => Interlocked.CompareExchange(ref _state, Begun, Waiting) == Waiting;

    public void Answer(JournalReply reply) => _reply.TrySetResult(reply);

    /// <summary>Ends the waiting. What has begun goes on, and its outcome is unknown to the caller; what has not is not done.</summary>
    public void GiveUp(JournalFailed reason)
    {
        Interlocked.CompareExchange(ref _state, GivenUp, Waiting);
        _reply.TrySetResult(reason);
    }

    /// <summary>As <see cref="GiveUp"/>, on the caller's own wish.</summary>
    public void Cancel(CancellationToken token)
    {
        Interlocked.CompareExchange(ref _state, GivenUp, Waiting);
        _reply.TrySetCanceled(token);
    }
}
