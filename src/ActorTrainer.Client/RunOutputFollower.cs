namespace ActorTrainer.Client;

/// <summary>Where output of a task's runs is read from: this node's files and its peers, or a cluster through its API.</summary>
internal interface IRunOutputSource
{
    /// <summary>What is kept now, by term and run.</summary>
    Task<RunOutputList> ListAsync(CancellationToken cancellationToken);

    /// <summary>Opens a run's output at an offset; with follow, reading waits for more until the run is over.</summary>
    Task<IRunOutputReader> OpenAsync(RunOutput run, long offset, bool follow, CancellationToken cancellationToken);
}

/// <summary>Reads a run's output.</summary>
internal interface IRunOutputReader : IAsyncDisposable
{
    /// <summary>The next bytes, or 0 at the end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>
/// Copies the output of a task's runs, one run after the other. When following, it goes on with the next run wherever that is started: a
/// reader that breaks is opened again at the same byte, and one that falls silent while a newer run exists elsewhere (its node was
/// stopped, not killed) is given up.
/// </summary>
internal sealed class RunOutputFollower(IRunOutputSource source, TimeProvider time)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(400);

    private readonly byte[] _buffer = new byte[32 << 10];
    private (long Term, int Run) _current = (-1, -1);
    private long _offset;
    private bool _currentEnded = true;
    private long? _troubleSince;

    /// <summary>How long nobody may answer before a follower gives up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a reader may be silent before it is asked whether the task goes on elsewhere.</summary>
    public TimeSpan QuietInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether a failure is one that may pass.</summary>
    public Func<Exception, bool> IsTransient { get; init; } = e => e is IOException or HttpRequestException;

    public async Task CopyAsync(Stream target, bool follow, CancellationToken cancellationToken)
    {
        while (true)
        {
            bool finished = false;
            bool progressed = false;
            bool broken = false;
            try
            {
                RunOutputList list = await source.ListAsync(cancellationToken);
                _troubleSince = null;
                finished = list.Finished;
                foreach (RunOutput run in list.Runs.Where(IsNext).OrderBy(run => (run.Term, run.Run)))
                {
                    progressed = true;
                    broken = !await CopyRunAsync(run, target, follow, cancellationToken);
                }
            }
            catch (Exception e) when (follow && IsTransient(e))
            {
                _troubleSince ??= time.GetTimestamp();
                if (time.GetElapsedTime(_troubleSince.Value) > Patience)
                {
                    throw;
                }
            }

            if (!follow || (finished && !progressed && !broken))
            {
                return;
            }

            if (!progressed || broken)
            {
                await Task.Delay(PollInterval, time, cancellationToken);
            }
        }
    }

    private bool IsNext(RunOutput run)
    {
        int order = (run.Term, run.Run).CompareTo(_current);
        return order > 0 || (order == 0 && !_currentEnded);
    }

    /// <summary>False: the reader broke before the end.</summary>
    private async Task<bool> CopyRunAsync(RunOutput run, Stream target, bool follow, CancellationToken cancellationToken)
    {
        if ((run.Term, run.Run) != _current)
        {
            _current = (run.Term, run.Run);
            _offset = 0;
        }

        _currentEnded = false;
        using CancellationTokenSource giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await using IRunOutputReader reader = await source.OpenAsync(run, _offset, follow, giveUp.Token);
            while (true)
            {
                Task<int> read = reader.ReadAsync(_buffer, giveUp.Token).AsTask();
                if (follow && !await ArrivesAsync(read, giveUp))
                {
                    await giveUp.CancelAsync();
                }

                int count = await read;
                if (count == 0)
                {
                    _currentEnded = true;
                    return true;
                }

                _offset += count;
                await WriteAsync(target, count, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _currentEnded = true;
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException && IsTransient(e))
        {
            if (!follow)
            {
                throw;
            }

            return false;
        }
    }

    private async Task WriteAsync(Stream target, int count, CancellationToken cancellationToken)
    {
        try
        {
            await target.WriteAsync(_buffer.AsMemory(0, count), cancellationToken);
            await target.FlushAsync(cancellationToken);
        }
        catch (IOException e)
        {
            // Not to be taken for a node that went away.
            throw new OutputTargetException(e);
        }
    }

    /// <summary>Waits for a read; false when nothing came while the task went on elsewhere, seen twice.</summary>
    private async Task<bool> ArrivesAsync(Task<int> read, CancellationTokenSource giveUp)
    {
        int seen = 0;
        while (!read.IsCompleted)
        {
            using CancellationTokenSource timer = CancellationTokenSource.CreateLinkedTokenSource(giveUp.Token);
            if (await Task.WhenAny(read, Task.Delay(QuietInterval, time, timer.Token)) == read)
            {
                await timer.CancelAsync();
                break;
            }

            giveUp.Token.ThrowIfCancellationRequested();
            try
            {
                RunOutputList list = await source.ListAsync(giveUp.Token);
                bool elsewhere = list.Finished || list.Runs.Any(run => (run.Term, run.Run).CompareTo(_current) > 0);
                seen = elsewhere ? seen + 1 : 0;
            }
            catch (Exception e) when (e is not OperationCanceledException && IsTransient(e))
            {
                // Nobody can say now; the read itself ends or breaks when its node is gone.
            }

            if (seen >= 2)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Output could be read, but not written where it should go (a closed pipe, a full disk).</summary>
public sealed class OutputTargetException(IOException inner) : Exception($"the output cannot be written: {inner.Message}", inner);
