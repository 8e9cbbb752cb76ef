using System.Collections.Concurrent;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// The file that was closed last, as long as nothing tells that it was written to its end: where a script fails in the middle of a file,
/// or its handler of SIGTERM exits there, its language closes the file, and only then the process ends.
/// </summary>
internal sealed class DoubtfulClose
{
    /// <summary>A script that failed in the middle of a file has ended by then, in milliseconds.</summary>
    public const long SettlesMilliseconds = 1000;

    private readonly ConcurrentDictionary<string, int> _openAtStop = new(StringComparer.Ordinal);
    private string? _path;
    private long _at;

    /// <summary>Whether the file in doubt was open when the run was asked to stop, which may have broken its writing off.</summary>
    public bool IsBrokenOff { get; private set; }

    /// <summary>The file; null: none is in doubt.</summary>
    /// <param name="milliseconds">Now.</param>
    public string? At(long milliseconds) => milliseconds - _at < SettlesMilliseconds ? _path : null;

    /// <summary>The run is asked to stop, and has these files open for writing.</summary>
    public void StopAsked(IEnumerable<string> open)
    {
        foreach (string path in open)
        {
            _openAtStop[path] = 0;
        }
    }

    /// <summary>A file was closed.</summary>
    /// <param name="path">Which.</param>
    /// <param name="tells">Whether it is certain that it is whole.</param>
    /// <param name="milliseconds">Now.</param>
    public void Closed(string path, bool tells, long milliseconds)
    {
        IsBrokenOff = _openAtStop.TryRemove(path, out _) && !tells;
        (_path, _at) = (tells ? null : path, milliseconds);
    }

    /// <summary>The script has gone on.</summary>
    public void Settle()
    {
        _path = null;
        IsBrokenOff = false;
    }
}
