namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// The file that was closed last, as long as nothing tells that it was written to its end: where a script fails in the middle of a file,
/// its language closes the file, and only then the process ends.
/// </summary>
internal sealed class DoubtfulClose
{
    /// <summary>A script that failed in the middle of a file has ended by then, in milliseconds.</summary>
    public const long SettlesMilliseconds = 1000;

    private string? _path;
    private long _at;

    /// <summary>The file; null: none is in doubt.</summary>
    /// <param name="milliseconds">Now.</param>
    public string? At(long milliseconds) => milliseconds - _at < SettlesMilliseconds ? _path : null;

    /// <summary>A file was closed, and does not tell by itself whether it is whole.</summary>
    public void Closed(string path, long milliseconds) => (_path, _at) = (path, milliseconds);

    /// <summary>The script has gone on.</summary>
    public void Settle() => _path = null;
}
