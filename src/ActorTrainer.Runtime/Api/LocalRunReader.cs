using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Reads one run's output files on this node. A file that is full never changes any more: the next one is then begun, and the oldest
/// one goes.
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
    private bool _nextSeen;
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
                .Select(group => new RunOutput(group.Key.Term, group.Key.Run, self, group.Sum(file => LengthOf(file.Path)))),
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

            if (!_follow || _over)
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

    private static long LengthOf(string path)
    {
        FileInfo info = new(path);
        return info.Exists ? info.Length : 0;
    }

    private string[] Paths() =>
        [.. _files.OutputFiles(_task).Where(file => file.Term == _term && file.Run == _run).Select(file => file.Path)];

    /// <summary>Opens the file that the offset falls into, counted from the first one kept.</summary>
    private void OpenFrom(long offset)
    {
        string[] paths = Paths();
        for (int i = 0; i < paths.Length; i++)
        {
            long length = LengthOf(paths[i]);
            if (offset < length || i == paths.Length - 1)
            {
                _file = TryOpen(paths[i]);
                _file?.Seek(Math.Min(offset, length), SeekOrigin.Begin);
                return;
            }

            offset -= length;
        }
    }

    /// <summary>
    /// At the end of a file: true when there is more to read, in the next one, or in this one, which is read once more after the next one
    /// was seen, since its last bytes may have been written in between.
    /// </summary>
    private bool Advance()
    {
        string[] paths = Paths();
        int next = _file is null ? 0 : Array.IndexOf(paths, _file.Name) + 1;
        if (next >= paths.Length)
        {
            return false;
        }

        if (_file is not null && !_nextSeen)
        {
            _nextSeen = true;
            return true;
        }

        _nextSeen = false;
        if (TryOpen(paths[next]) is not { } opened)
        {
            return false;
        }

        _file?.Dispose();
        _file = opened;
        return true;
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                4096,
                FileOptions.Asynchronous
            );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
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
