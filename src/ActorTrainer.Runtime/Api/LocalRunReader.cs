using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Reads one run's output files on this node. A file that is full never changes any more: the next one is then begun, and the oldest
/// one goes. A reader that is so slow that files go before it comes to them ends there; one that follows breaks, to be opened again.
/// </summary>
internal sealed class LocalRunReader : IRunOutputReader
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan OverInterval = TimeSpan.FromMilliseconds(500);

    private readonly ITaskQueries _queries;
    private readonly INodeFiles _files;
    private readonly TimeProvider _time;
    private readonly TaskId _task;
    private readonly long _term;
    private readonly int _run;
    private readonly bool _follow;
    private FileStream? _file;
    private PlacedFile _place;
    private bool _nextSeen;
    private bool _fellBehind;
    private long _overAsked;
    private bool _over;

    private LocalRunReader(ITaskQueries queries, INodeFiles files, TimeProvider time, TaskId task, RunOutput run, bool follow)
    {
        _queries = queries;
        _files = files;
        _time = time;
        _task = task;
        _term = run.Term;
        _run = run.Run;
        _follow = follow;
    }

    /// <summary>Output kept on this node, by term and run.</summary>
    public static IReadOnlyList<RunOutput> List(INodeFiles files, TaskId task, NodeAddress self) =>
        [
            .. files
                .OutputFiles(task)
                .GroupBy(file => (file.Term, file.Run))
                .OrderBy(group => group.Key)
                .Select(group => Describe(group.Key.Term, group.Key.Run, self, PlacedFile.Of(group))),
        ];

    public static LocalRunReader Open(
        ITaskQueries queries,
        INodeFiles files,
        TimeProvider time,
        TaskId task,
        RunOutput run,
        long offset,
        bool follow
    )
    {
        LocalRunReader reader = new(queries, files, time, task, run, follow);
        reader.OpenFrom(offset);
        return reader;
    }

    /// <summary>Whether the run was here.</summary>
    public bool HasFiles => Offset is not null;

    /// <inheritdoc />
    public long? Offset { get; private set; }

    /// <inheritdoc />
    public string? Missing { get; private set; }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            int count = _file is null ? 0 : await _file.ReadAsync(buffer, cancellationToken);
            if (count > 0)
            {
                return count;
            }

            if (Advance())
            {
                continue;
            }

            if (_fellBehind && _follow)
            {
                throw new IOException("output was removed before it was read: it is printed faster than it is read");
            }

            if (!_follow || _over || _fellBehind)
            {
                return 0;
            }

            // Asked before the last read, so that lines written before the run was seen to be over are not lost.
            if (!await IsOverAsync(cancellationToken))
            {
                await Task.Delay(PollInterval, _time, cancellationToken);
            }
        }
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static RunOutput Describe(long term, int run, NodeAddress self, IReadOnlyList<PlacedFile> files)
    {
        RunOutput output = new(term, run, self, files.Sum(file => file.Length));
        return files[0].Start == 0 ? output : output with { Start = files[0].Start, End = files[^1].End };
    }

    private IReadOnlyList<PlacedFile> Files() =>
        PlacedFile.Of(_files.OutputFiles(_task).Where(file => file.Term == _term && file.Run == _run));

    /// <summary>Opens the file that the offset falls into, or the first one kept when that begins behind it.</summary>
    private void OpenFrom(long offset)
    {
        IReadOnlyList<PlacedFile> files = Files();
        if (files.Count == 0)
        {
            return;
        }

        Offset = Math.Max(offset, files[0].Start);
        Missing = Offset > offset ? OutputWords.NotKept(_run, offset, Offset.Value) : null;
        _place = files.Where(file => file.Start <= Offset).DefaultIfEmpty(files[0]).Last();
        _file = _place.TryOpen();
        _file?.Seek(Math.Min(Offset.Value - _place.Start, _place.Length), SeekOrigin.Begin);
    }

    /// <summary>
    /// At the end of a file: true when there is more to read, in the next one, or in this one, which is read once more after the next one
    /// was seen, since its last bytes may have been written in between.
    /// </summary>
    private bool Advance()
    {
        IReadOnlyList<PlacedFile> files = Files();
        PlacedFile next = files.FirstOrDefault(file => _file is null || file.Start > _place.Start);
        if (next.Path is null)
        {
            return false;
        }

        if (_file is not null && !_nextSeen)
        {
            _nextSeen = true;
            return true;
        }

        if (next.Start > (_file is null ? Offset ?? 0 : _place.Start + _file.Position))
        {
            _fellBehind = true;
            return false;
        }

        _nextSeen = false;
        if (next.TryOpen() is not { } opened)
        {
            return false;
        }

        _file?.Dispose();
        _file = opened;
        _place = next;
        return true;
    }

    private async Task<bool> IsOverAsync(CancellationToken cancellationToken)
    {
        if (_overAsked != 0 && _time.GetElapsedTime(_overAsked) < OverInterval)
        {
            return false;
        }

        _overAsked = _time.GetTimestamp();
        try
        {
            IReadOnlyList<TaskListing> found = await _queries.ListTasksAsync(new TaskFilter(Task: _task), cancellationToken);
            TaskSummary? summary = found.Count > 0 ? found[0].Summary : null;
            _over =
                summary is null
                || summary.IsFinished
                || summary.Runs > _run
                || (summary.Runs == _run && summary.Status != TaskStatus.Running);
        }
        catch (JournalUnavailableException)
        {
            // Asked again soon; until then the run may go on.
        }

        return _over;
    }
}
