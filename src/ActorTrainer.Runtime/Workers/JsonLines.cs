using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ActorTrainer.Runtime.Workers;

/// <summary>Reads newline-delimited messages from a stream.</summary>
internal static class JsonLines
{
    /// <summary>
    /// The complete lines that stand ready, one batch after the other, until the stream ends. A last line without newline is dropped.
    /// </summary>
    /// <exception cref="IOException">The stream broke.</exception>
    /// <exception cref="InvalidDataException">A line is longer than <paramref name="maxLineBytes"/>.</exception>
    public static async IAsyncEnumerable<IReadOnlyList<byte[]>> ReadBatchesAsync(
        Stream stream,
        int maxLineBytes,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        while (true)
        {
            ReadResult result = await reader.ReadAsync(cancellationToken);
            List<byte[]> lines = [];
            ReadOnlySequence<byte> rest = result.Buffer;
            while (rest.PositionOf((byte)'\n') is { } newline)
            {
                lines.Add(rest.Slice(0, newline).ToArray());
                rest = rest.Slice(rest.GetPosition(1, newline));
            }

            if (rest.Length > maxLineBytes)
            {
                throw new InvalidDataException($"a line is longer than {maxLineBytes} bytes");
            }

            reader.AdvanceTo(rest.Start, result.Buffer.End);
            if (lines.Count > 0)
            {
                yield return lines;
            }

            if (result.IsCompleted)
            {
                yield break;
            }
        }
    }
}
