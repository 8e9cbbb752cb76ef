using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>Carries one run's output from its pipe into its files, on a thread of its own, in one buffer.</summary>
internal sealed class OutputPump
{
    private const int BufferBytes = 64 << 10;
    private const int StackBytes = 256 << 10;
    private readonly int _pipe;
    private readonly OutputLog? _log;
    private long _bytes;
    private readonly LastLines _lines = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="pipe">The end to read from, which is closed at the end.</param>
    /// <param name="log">Takes the output; null: only its last lines are kept.</param>
    public OutputPump(int pipe, OutputLog? log)
    {
        _pipe = pipe;
        _log = log;
        new Thread(Run, StackBytes) { IsBackground = true, Name = "output" }.Start();
    }

    /// <summary>How much it has carried.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Ends when every writer has closed the pipe and everything is written.</summary>
    public Task Ended => _ended.Task;

    public IReadOnlyList<string> LastLines()
    {
        lock (_lines)
        {
            return _lines.ToList();
        }
    }

    private void Run()
    {
        using SafeFileHandle handle = new(_pipe, ownsHandle: true);
        using FileStream stream = new(handle, FileAccess.Read, bufferSize: 0);
        byte[] buffer = new byte[BufferBytes];
        try
        {
            for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                _ = Interlocked.Add(ref _bytes, read);
                _log?.Write(buffer.AsSpan(0, read));
                lock (_lines)
                {
                    _lines.Add(buffer.AsSpan(0, read));
                }
            }
        }
        catch (IOException)
        {
            // The pipe is gone; there is nothing more to carry.
        }

        if (_log is { DroppedBytes: > 0 })
        {
            lock (_lines)
            {
                _lines.Add("\n"u8);
                _lines.Add(
                    System.Text.Encoding.UTF8.GetBytes($"[{_log.DroppedBytes} bytes of output could not be written: is the disk full?]\n")
                );
            }
        }

        _log?.Dispose();
        _ended.SetResult();
    }
}
