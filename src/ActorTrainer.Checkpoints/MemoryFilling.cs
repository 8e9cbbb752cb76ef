namespace ActorTrainer.Checkpoints;

/// <summary>
/// How far a state has been copied into its memory, from the beginning on, while it is stored already. Whoever reads what is not there yet
/// waits for it. Callable from any thread.
/// </summary>
internal sealed class MemoryFilling
{
    private readonly object _lock = new();
    private long _bytes;
    private bool _complete;
    private Func<Exception>? _failure;

    /// <summary>Whether nothing will change any more.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _complete || _failure is not null;
            }
        }
    }

    /// <summary>So many bytes stand.</summary>
    public void Advance(long bytes) => Change(() => _bytes = Math.Max(_bytes, bytes));

    /// <summary>All of it stands.</summary>
    public void Complete() => Change(() => _complete = _failure is null);

    /// <summary>It will not be complete. Whoever waits, or reads it from now on, gets this exception.</summary>
    public void Fail(Func<Exception> failure) => Change(() => _failure ??= _complete ? null : failure);

    /// <summary>Waits until there are so many bytes.</summary>
    /// <exception cref="CheckpointStoreException">There will not be.</exception>
    /// <exception cref="StateRestagedException">They stand elsewhere.</exception>
    public void WaitFor(long bytes) => Wait(() => _bytes >= bytes);

    /// <summary>Waits until it is complete. Throws as above.</summary>
    public void WaitForAll() => Wait(() => false);

    private void Wait(Func<bool> isEnough)
    {
        lock (_lock)
        {
            while (_failure is null && !_complete && !isEnough())
            {
                _ = Monitor.Wait(_lock);
            }

            if (_failure is { } failure)
            {
                throw failure();
            }
        }
    }

    private void Change(Action change)
    {
        lock (_lock)
        {
            change();
            Monitor.PulseAll(_lock);
        }
    }
}
