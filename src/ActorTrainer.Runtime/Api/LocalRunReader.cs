using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Client;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Reads one run's output files on this node. The newer file of the pair is renamed over the older one when it is full; an open file
/// keeps its bytes, so the reader ends it first and then opens the new one.
/// </summary>
internal sealed class LocalRunReader : IRunOutputReader
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan OverInterval = TimeSpan.FromMilliseconds(500);

    private readonly INodeService _node;
    private readonly TimeProvider _time;
    private readonly TaskId _task;
    private readonly long _term;
    private readonly int _run;
    private readonly bool _follow;
    private readonly Queue<string> _ahead = new();
    private FileStream? _file;
    private (long Length, DateTime Written) _older;
    private long _overAsked;
    private bool _over;

    private LocalRunReader(INodeService node, TimeProvider time, TaskId task, RunOutput run, bool follow)
    {
        _node = node;
        _time = time;
        _task = task;
        _term = run.Term;
        _run = run.Run;
        _follow = follow;
    }

    /// <summary>Output kept on this node, by term and run.</summary>
    public static IReadOnlyList<RunOutput> List(INodeService node, TaskId task, NodeAddress self) =>
    [
        .. node.OutputFiles(task)
            .GroupBy(file => (file.Term, file.Run))
            .OrderBy(group => group.Key)
            .Select(group => new RunOutput(group.Key.Term, group.Key.Run, self, group.Sum(file => Stat(file.Path).Length))),
    ];

    public static LocalRunReader Open(INodeService node, TimeProvider time, TaskId task, RunOutput run, long offset, bool follow)
    {
        LocalRunReader reader = new(node, time, task, run, follow);
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

    private static (long Length, DateTime Written) Stat(string path)
    {
        FileInfo info = new(path);
        return info.Exists ? (info.Length, info.LastWriteTimeUtc) : default;
    }

    private string[] Paths() =>
        [.. _node.OutputFiles(_task).Where(file => file.Term == _term && file.Run == _run).Select(file => file.Path)];

    private void OpenFrom(long offset)
    {
        string[] paths = Paths();
        foreach (string path in paths)
        {
            long length = Stat(path).Length;
            if (_ahead.Count == 0 && offset >= length && path != paths[^1])
            {
                offset -= length;
                continue;
            }

            _ahead.Enqueue(path);
        }

        if (Advance())
        {
            _file!.Seek(Math.Min(offset, _file.Length), SeekOrigin.Begin);
        }
    }

    /// <summary>Opens the next file: the newer of the pair, or the one that took the place of the file at its end.</summary>
    private bool Advance()
    {
        if (_ahead.Count == 0)
        {
            string[] paths = Paths();
            if (paths.Length == 0 || (_file is not null && (!_follow || !HasRotated(paths))))
            {
                return false;
            }

            _ahead.Enqueue(paths[^1]);
        }

        string next = _ahead.Dequeue();
        FileStream? opened = TryOpen(next);
        if (opened is null)
        {
            return _ahead.Count > 0 && Advance();
        }

        _file?.Dispose();
        _file = opened;
        string[] now = Paths();
        _older = now.Length > 1 ? Stat(now[0]) : default;
        return true;
    }

    private bool HasRotated(string[] paths) => paths.Length > 1 && Stat(paths[0]) != _older;

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 4096, FileOptions.Asynchronous);
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
        JournalReply reply = await _node.ReadAsync(new ListTasksRequest(Task: _task), cancellationToken);
        if (reply is ListTasksReply list)
        {
            TaskSummary? summary = list.Tasks.Count > 0 ? list.Tasks[0].Summary : null;
            _over = summary is null || summary.IsFinished || summary.Runs > _run ||
                (summary.Runs == _run && summary.Status != TaskStatus.Running);
        }

        return _over;
    }
}
