using ActorTrainer.Core.Identity;

namespace ActorTrainer.Client;

/// <summary>Where output of a task's runs is read from: this node's files and its peers, or a cluster through its API.</summary>
internal interface IRunOutputSource
{
    /// <summary>What is kept now, by term and run.</summary>
    /// <param name="all">Also runs of which nothing is kept, as far as the journal knows them.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    Task<RunOutputList> ListAsync(bool all, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a run's output at an offset; with follow, reading waits for more until the run is over. It ends before bytes that are missing:
    /// opened there again, it begins behind them.
    /// </summary>
    Task<IRunOutputReader> OpenAsync(RunOutput run, long offset, bool follow, CancellationToken cancellationToken);
}

/// <summary>Reads a run's output.</summary>
internal interface IRunOutputReader : IAsyncDisposable
{
    /// <summary>Where it begins: behind the byte asked for when that is missing. Null: there.</summary>
    long? Offset => null;

    /// <summary>Why it begins later, as one sentence.</summary>
    string? Missing => null;

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
    private NodeAddress _node;
    private long _offset;
    private bool _currentEnded = true;
    private long? _troubleSince;
    private bool _listed;
    private string? _storeProblem;

    /// <summary>How long nobody may answer before a follower gives up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a reader may be silent before it is asked whether the task goes on elsewhere.</summary>
    public TimeSpan QuietInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether a failure is one that may pass.</summary>
    public Func<Exception, bool> IsTransient { get; init; } = e => e is IOException or HttpRequestException;

    /// <summary>Is told what is missing, a sentence each, at its place between the bytes. Default: nobody is.</summary>
    public Func<string, ValueTask> Say { get; init; } = _ => ValueTask.CompletedTask;

    public async Task CopyAsync(Stream target, bool follow, CancellationToken cancellationToken)
    {
        while (true)
        {
            bool finished = false;
            bool progressed = false;
            bool broken = false;
            try
            {
                RunOutputList list = await source.ListAsync(all: !_listed, cancellationToken);
                _troubleSince = null;
                _listed = true;
                if (list.StoreProblem is { } problem && problem != _storeProblem)
                {
                    _storeProblem = problem;
                    await Say(problem);
                }

                finished = list.Finished;
                bool Waits(RunOutput run) => follow && run is { Missing: not null, Bytes: 0 } && list.Unreachable.Contains(run.Node);
                foreach (RunOutput run in list.Runs.Where(run => IsNext(run) && !Waits(run)).OrderBy(run => (run.Term, run.Run)))
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
        if ((run.Term, run.Run) != _current || (_currentEnded && run.Node != _node))
        {
            _current = (run.Term, run.Run);
            _offset = 0;
        }

        _node = run.Node;
        _currentEnded = false;
        using CancellationTokenSource giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            long end = run.End ?? run.Bytes;
            long from;
            do
            {
                from = _offset;
                await CopyPieceAsync(run, target, follow, giveUp, cancellationToken);
            } while (_offset > from && _offset < end);

            // One that was read from its node to the last has more of it than the store.
            if (run.Missing is { } missing && _offset <= end)
            {
                await Say(missing);
            }

            _currentEnded = true;
            return true;
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

    /// <summary>Copies up to the end, or to the next byte that is missing.</summary>
    private async Task CopyPieceAsync(
        RunOutput run,
        Stream target,
        bool follow,
        CancellationTokenSource giveUp,
        CancellationToken cancellationToken
    )
    {
        if (run is { Missing: not null, Bytes: 0 })
        {
            return;
        }

        await using IRunOutputReader reader = await source.OpenAsync(run, _offset, follow, giveUp.Token);
        if (reader.Offset is { } start && start > _offset)
        {
            await Say(
                reader.Missing ?? FormattableString.Invariant($"bytes {_offset} to {start} of the output of run {run.Run} are missing")
            );
            _offset = start;
        }

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
                return;
            }

            _offset += count;
            await WriteAsync(target, count, cancellationToken);
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
                RunOutputList list = await source.ListAsync(all: false, giveUp.Token);
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
