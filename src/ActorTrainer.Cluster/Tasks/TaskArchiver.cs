using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Asks ended tasks that are to be kept no longer to archive themselves, some at a time, for as long as this node coordinates. The task's
/// own actor decides and does it: only it knows that nobody has just resumed it.
/// </summary>
internal sealed partial class TaskArchiver : ReceiveActor, IWithTimers
{
    /// <summary>So many at once: each is recovered for it.</summary>
    public const int AtOnce = 100;

    private readonly TaskRowTable _table;
    private readonly JournalModel _model;
    private readonly Func<bool> _coordinates;
    private readonly Func<IActorRef> _region;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TimeSpan _every;
    private readonly CancellationTokenSource _stopping = new();

    /// <param name="table">The tasks' rows.</param>
    /// <param name="model">How long and how many ended tasks are kept.</param>
    /// <param name="coordinates">Whether this node coordinates now.</param>
    /// <param name="region">The shard region.</param>
    /// <param name="every">How often it looks.</param>
    /// <param name="time">The wall clock.</param>
    /// <param name="logger">Where it logs.</param>
    public TaskArchiver(
        TaskRowTable table,
        JournalModel model,
        Func<bool> coordinates,
        Func<IActorRef> region,
        TimeSpan every,
        TimeProvider time,
        ILogger logger
    )
    {
        _table = table;
        _model = model;
        _coordinates = coordinates;
        _region = region;
        _every = every;
        _time = time;
        _logger = logger;
        Receive<Check>(_ => _coordinates(), _ => Task.Run(ReadAsync, _stopping.Token).PipeTo(Self, failure: e => new NotRead(e.Message)));
        Receive<Check>(_ => CheckAgain());
        Receive<NotRead>(failed =>
        {
            LogNotRead(_logger, failed.Problem);
            CheckAgain();
        });
        Receive<IReadOnlyList<TaskId>>(OnEnded);
        Receive<TaskAnswer>(answer => answer.Reply is CommandRefused, answer => LogRefused(_logger, ((CommandRefused)answer.Reply).Reason));
        Receive<TaskAnswer>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Whether a configuration keeps ended tasks for less than ever.</summary>
    public static bool IsNeeded(JournalModel model) => model.KeepFinished is not null || model.MaxFinished is not null;

    protected override void PreStart() => CheckAgain();

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task<IReadOnlyList<TaskId>> ReadAsync() =>
        await _table.ReadFinishedAsync(
            _model.KeepFinished is { } keep ? _time.GetUtcNow() - keep : DateTimeOffset.MinValue,
            _model.MaxFinished ?? long.MaxValue,
            AtOnce,
            _stopping.Token
        );

    private void OnEnded(IReadOnlyList<TaskId> tasks)
    {
        foreach (TaskId task in tasks)
        {
            _region().Tell(new TaskRequest(task, new ArchiveTask()));
        }

        if (tasks.Count > 0)
        {
            LogArchived(_logger, tasks.Count);
        }

        CheckAgain();
    }

    private void CheckAgain() => Timers.StartSingleTimer(nameof(Check), Check.Instance, _every);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} ended tasks are archived")]
    private static partial void LogArchived(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "an ended task is not archived: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "ended tasks cannot be looked for now: {Problem}")]
    private static partial void LogNotRead(ILogger logger, string problem);

    private sealed record NotRead(string Problem) : INoSerializationVerificationNeeded;

    private sealed class Check : INoSerializationVerificationNeeded
    {
        public static Check Instance { get; } = new();
    }
}
