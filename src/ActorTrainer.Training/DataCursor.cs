using System.Globalization;

namespace ActorTrainer.Training;

/// <summary>
/// The position in the training data: gives the numbers of the samples of each mini-batch, in an order that is shuffled anew for
/// every epoch. The order follows from the seed and the epoch alone, so only seed, epoch and index are saved.
/// </summary>
public sealed class DataCursor
{
    private readonly int[] _order;
    private ulong _seed;

    /// <summary>Stands before the first sample of the first epoch.</summary>
    /// <param name="count">Number of samples, at least 1.</param>
    /// <param name="batchSize">Samples in a batch, at least 1; the last batch of an epoch may be smaller.</param>
    /// <param name="seed">Seed of the orders.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count or the batch size is below 1.</exception>
    public DataCursor(int count, int batchSize, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        Count = count;
        BatchSize = batchSize;
        _seed = seed;
        _order = new int[count];
        Arrange();
    }

    /// <summary>Number of samples.</summary>
    public int Count { get; }

    /// <summary>Samples in a batch. Not part of the saved state: it may be changed between runs, at the price of other bits.</summary>
    public int BatchSize { get; }

    /// <summary>Epochs done, from 0.</summary>
    public long Epoch { get; private set; }

    /// <summary>Samples given out in the current epoch, from 0 to <see cref="Count"/> - 1.</summary>
    public int Index { get; private set; }

    /// <summary>Epochs done with the part of the current one, for example 3.25.</summary>
    public double Position => Epoch + ((double)Index / Count);

    /// <summary>Whether the batch given out last ended an epoch (or none was given out yet).</summary>
    public bool AtEpochBoundary => Index == 0;

    /// <summary>Batches in an epoch.</summary>
    public int BatchesPerEpoch => ((Count - 1) / BatchSize) + 1;

    /// <summary>
    /// The sample numbers of the next batch, each in [0, <see cref="Count"/>); at most <see cref="BatchSize"/>, fewer at an epoch's end.
    /// </summary>
    /// <param name="buffer">Takes the numbers; at least <see cref="BatchSize"/> long.</param>
    /// <returns>The part of the buffer that was filled.</returns>
    /// <exception cref="ArgumentException">The buffer is too short.</exception>
    public Span<int> Next(Span<int> buffer)
    {
        int size = Math.Min(BatchSize, Count - Index);
        if (buffer.Length < BatchSize)
        {
            throw new ArgumentException($"The buffer holds {buffer.Length} numbers; a batch has up to {BatchSize}.", nameof(buffer));
        }

        _order.AsSpan(Index, size).CopyTo(buffer);
        Index += size;
        if (Index == Count)
        {
            Epoch++;
            Index = 0;
            Arrange();
        }

        return buffer[..size];
    }

    /// <summary>Writes the position as one entry.</summary>
    public void Save(CheckpointWriter writer, string name)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteJson(
            name,
            json =>
            {
                json.WriteNumber("count"u8, Count);
                json.WriteString("seed"u8, _seed.ToString("x16", CultureInfo.InvariantCulture));
                json.WriteNumber("epoch"u8, Epoch);
                json.WriteNumber("index"u8, Index);
            }
        );
    }

    /// <summary>Goes to a saved position; its seed holds from then on.</summary>
    /// <exception cref="CheckpointEntryException">The entry is missing, damaged, or belongs to data of another size.</exception>
    public void Load(CheckpointReader reader, string name)
    {
        ArgumentNullException.ThrowIfNull(reader);
        CursorState state = reader.ReadJson(
            name,
            json => new CursorState(
                json.GetProperty("count"u8).GetInt32(),
                json.GetProperty("seed"u8).GetString() ?? "",
                json.GetProperty("epoch"u8).GetInt64(),
                json.GetProperty("index"u8).GetInt32()
            )
        );
        if (state.Count != Count)
        {
            throw new CheckpointEntryException(
                name,
                $"is a position in {state.Count} samples, but the data has {Count}: the training data was changed since it was saved."
            );
        }

        if (
            state.Index < 0
            || state.Index >= Count
            || state.Epoch < 0
            || !ulong.TryParse(state.Seed, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong seed)
        )
        {
            throw new CheckpointEntryException(
                name,
                $"is no position: seed '{state.Seed}', epoch {state.Epoch}, index {state.Index} of {Count}."
            );
        }

        (_seed, Epoch, Index) = (seed, state.Epoch, state.Index);
        Arrange();
    }

    private void Arrange()
    {
        for (int i = 0; i < _order.Length; i++)
        {
            _order[i] = i;
        }

        new SeededGenerator(_seed, (ulong)Epoch + 1).Shuffle(_order.AsSpan());
    }
}

internal sealed record CursorState(int Count, string Seed, long Epoch, int Index);
