using System.Runtime.CompilerServices;
using System.Text;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Runtime.Workers.Output;

/// <summary>Reads the output lines of a task over all its files: rotated ones and those of later runs.</summary>
internal static class OutputTail
{
    /// <summary>A line longer than this many bytes is handed out in parts.</summary>
    private const int MaxLineBytes = 64 << 10;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <summary>The lines, oldest first.</summary>
    /// <param name="files">Gives the task's output files as they are now, oldest first; asked again while following.</param>
    /// <param name="follow">Whether to wait for more lines, in these files and in later ones, until cancelled or
    /// <paramref name="finished"/>.</param>
    /// <param name="finished">Whether nothing more will come; null: never known.</param>
    /// <param name="last">Begin with this many of the newest lines; null: with all.</param>
    /// <param name="time">The clock that paces following.</param>
    /// <param name="cancellationToken">Ends following.</param>
    public static async IAsyncEnumerable<string> ReadAsync(
        Func<IReadOnlyList<OutputFile>> files,
        bool follow,
        Func<bool>? finished,
        int? last,
        TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(time);
        using TailReader reader = new(files);
        if (last is { } count)
        {
            Queue<string> newest = new();
            while (reader.Next(!follow) is { } line)
            {
                newest.Enqueue(line);
                if (newest.Count > count)
                {
                    _ = newest.Dequeue();
                }
            }

            foreach (string line in newest)
            {
                yield return line;
            }
        }

        while (true)
        {
            // Asked before reading: what was written before it became true is read below.
            bool ending = !follow || (finished?.Invoke() ?? false);
            while (reader.Next(ending) is { } line)
            {
                yield return line;
            }

            if (ending)
            {
                yield break;
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private sealed class TailReader(Func<IReadOnlyList<OutputFile>> files) : IDisposable
    {
        private readonly byte[] _buffer = new byte[MaxLineBytes];
        private (long Term, int Run, int Number) _position = (-1, 0, 0);
        private FileStream? _file;
        private int _start;
        private int _end;

        /// <summary>
        /// The next complete line, or null when there is none now; with <paramref name="ending"/> also one without newline.
        /// </summary>
        public string? Next(bool ending)
        {
            while (true)
            {
                int newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
                if (newline >= 0)
                {
                    return Take(newline, 1);
                }

                if (Fill())
                {
                    continue;
                }

                if (_end - _start == MaxLineBytes)
                {
                    return Take(MaxLineBytes, 0);
                }

                // A file that has a successor grows no more: what stands in it without newline is a line. Read once more after the
                // successor was seen, since the end of this one may have been written in between.
                OutputFile? successor = Successor();
                if (successor is not null && Fill())
                {
                    continue;
                }

                if (_end > _start && (successor is not null || ending))
                {
                    return Take(_end - _start, 0);
                }

                if (successor is null)
                {
                    return null;
                }

                Open(successor);
            }
        }

        public void Dispose() => _file?.Dispose();

        private string Take(int length, int separator)
        {
            string line = Encoding.UTF8.GetString(_buffer, _start, length).TrimEnd('\r');
            _start += length + separator;
            return line;
        }

        private bool Fill()
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            int read = _file is null || _end == _buffer.Length ? 0 : _file.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            return read > 0;
        }

        private OutputFile? Successor() => files().FirstOrDefault(file => PositionOf(file).CompareTo(_position) > 0);

        private void Open(OutputFile file)
        {
            _position = PositionOf(file);
            _file?.Dispose();
            _file = null;
            try
            {
                _file = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Removed by rotation before it was read: the next one follows.
            }
        }

        private static (long Term, int Run, int Number) PositionOf(OutputFile file) =>
            (file.Term, file.Run, Guard.OutputLog.NumberOf(Path.GetFileName(file.Path)));
    }
}
