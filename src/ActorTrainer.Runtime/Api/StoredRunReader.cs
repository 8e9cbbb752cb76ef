using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Client;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Reads a run's output from the store: from the first byte that is there to the first one that is missing, and then what the run's node
/// has, where that goes on from there.
/// </summary>
internal sealed class StoredRunReader : IRunOutputReader
{
    private readonly FolderOutputs _outputs;
    private readonly StoredRun _stored;
    private readonly IRunOutputReader? _then;
    private readonly long _limit;
    private byte[] _piece = [];
    private long _pieceStart;
    private long _position;

    private StoredRunReader(FolderOutputs outputs, StoredRun stored, long offset, IRunOutputReader? then, long limit)
    {
        _outputs = outputs;
        _stored = stored;
        _position = offset;
        _then = then;
        _limit = limit;
    }

    /// <inheritdoc />
    public long? Offset { get; private set; }

    /// <inheritdoc />
    public string? Missing { get; private set; }

    /// <summary>Opens a run at a byte.</summary>
    /// <param name="outputs">The store.</param>
    /// <param name="stored">What it has.</param>
    /// <param name="offset">The first byte wanted.</param>
    /// <param name="then">What the node has, which begins later; it is the reader's from now on. Null: nothing.</param>
    public static IRunOutputReader Open(FolderOutputs outputs, StoredRun stored, long offset, IRunOutputReader? then)
    {
        long limit = then?.Offset ?? stored.End;
        StoredRunReader reader = new(outputs, stored, offset, then, limit);
        return reader.Begin(offset) || then is null ? reader : then;
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_position < _limit && (IsInPiece() || TryLoad(_position)))
        {
            ReadOnlySpan<byte> left = _piece.AsSpan((int)(_position - _pieceStart));
            int count = (int)Math.Min(Math.Min(left.Length, buffer.Length), _limit - _position);
            left[..count].CopyTo(buffer.Span);
            _position += count;
            return ValueTask.FromResult(count);
        }

        return _then is not null && _position == _limit ? _then.ReadAsync(buffer, cancellationToken) : ValueTask.FromResult(0);
    }

    public ValueTask DisposeAsync() => _then?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Finds the first byte that can be read; false: there is none before the limit.</summary>
    private bool Begin(long offset)
    {
        string? damage = null;
        foreach (OutputSegment segment in _stored.Segments.Where(segment => segment.End > offset && segment.Start < _limit))
        {
            _position = Math.Max(offset, segment.Start);
            if (TryLoad(_position))
            {
                Offset = _position;
                Missing = _position > offset ? damage ?? OutputWords.NotKept(_stored.Key.Run, offset, _position) : null;
                return true;
            }

            damage = OutputWords.Damaged(_stored.Key.Run, offset, segment.End, _problem);
        }

        _position = Math.Max(offset, _limit);
        Offset = _position;
        Missing = _position > offset ? damage ?? OutputWords.NotKept(_stored.Key.Run, offset, _position) : null;
        return false;
    }

    private string _problem = "";

    private bool IsInPiece() => _position >= _pieceStart && _position < _pieceStart + _piece.Length;

    private bool TryLoad(long position)
    {
        foreach (OutputSegment segment in _stored.Segments.Where(segment => segment.Start <= position && position < segment.End))
        {
            try
            {
                _piece = _outputs.Read(_stored.Key, segment);
                _pieceStart = segment.Start;
                return true;
            }
            catch (Exception e) when (e is CheckpointDamagedException or CheckpointStoreException)
            {
                _problem = e.Message;
            }
        }

        return false;
    }
}
